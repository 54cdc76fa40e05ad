#include "modules/elf_file.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#ifdef __linux__

namespace openssl_async::testing {

namespace {

// A shared library that certainly is one: that of the C library's functions.
std::vector<char> SharedLibrary() {
  Dl_info info = {};
  REQUIRE(dladdr(reinterpret_cast<void*>(&dladdr), &info) != 0);
  std::ifstream stream(info.dli_fname, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<char>& bytes) {
    const int fd = mkstemp(path_);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
  ~TemporaryFile() { unlink(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/elf-file-XXXXXX";
};

ElfFile::Kind KindOf(const std::vector<char>& bytes) {
  const TemporaryFile file(bytes);
  return ElfFile().Read(file.path());
}

}  // namespace

TEST_SUITE("elf file") {
  TEST_CASE("a file larger than memory is not read whole") {
    constexpr off_t kHuge = off_t{1} << 36;
    const TemporaryFile nothing({});
    REQUIRE(truncate(nothing.path(), kHuge) == 0);
    CHECK(ElfFile().Read(nothing.path()) == ElfFile::Kind::kOther);
    const TemporaryFile library(SharedLibrary());
    REQUIRE(truncate(library.path(), kHuge) == 0);
    ElfFile elf;
    CHECK(elf.Read(library.path()) == ElfFile::Kind::kThisMachine);
    CHECK_FALSE(elf.needed().empty());
  }

  TEST_CASE("a shared library's needs are read") {
    const TemporaryFile file(SharedLibrary());
    ElfFile elf;
    CHECK(elf.Read(file.path()) == ElfFile::Kind::kThisMachine);
    const auto& needed = elf.needed();
    CHECK(std::any_of(needed.begin(), needed.end(),
                      [](const std::string& name) { return name.find(".so") != name.npos; }));
    CHECK(!elf.undefined().empty());
  }

  TEST_CASE("files that are no shared library of this machine are told apart") {
    const std::vector<char> whole = SharedLibrary();
    CHECK(KindOf({}) == ElfFile::Kind::kOther);
    CHECK(KindOf({'t', 'e', 'x', 't'}) == ElfFile::Kind::kOther);
    std::vector<char> changed = whole;
    changed[18] = 8;  // e_machine: MIPS
    changed[19] = 0;
    CHECK(KindOf(changed) == ElfFile::Kind::kOtherMachine);
    changed = whole;
    changed[4] = changed[4] == 1 ? 2 : 1;  // the size of its words
    CHECK(KindOf(changed) == ElfFile::Kind::kOtherMachine);
    changed = whole;
    changed[16] = 1;  // e_type: what is still to be linked
    CHECK(KindOf(changed) == ElfFile::Kind::kOther);
  }

  TEST_CASE("a damaged one does no harm, wherever it ends and whatever its sizes are") {
    const std::vector<char> whole = SharedLibrary();
    for (const size_t size : {size_t(16), size_t(63), size_t(64), size_t(200), whole.size() / 2}) {
      CHECK(KindOf({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) == ElfFile::Kind::kOther);
    }
    for (size_t at = 24; at < 64; ++at) {  // the header's offsets and counts
      std::vector<char> changed = whole;
      changed[at] = static_cast<char>(0xff);
      static_cast<void>(KindOf(changed));
    }
  }
}

}  // namespace openssl_async::testing

#endif
