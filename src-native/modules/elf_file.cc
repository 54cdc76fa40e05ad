#include "modules/elf_file.h"

#ifdef __linux__
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/unique_fd.h"
#endif

namespace openssl_async {

#ifdef __linux__

namespace {

// The machine that this code is compiled for.
#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#elif defined(__i386__)
constexpr uint16_t kMachine = EM_386;
#elif defined(__arm__)
constexpr uint16_t kMachine = EM_ARM;
#elif defined(__powerpc64__)
constexpr uint16_t kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr uint16_t kMachine = EM_S390;
#elif defined(__riscv)
constexpr uint16_t kMachine = EM_RISCV;
#else
constexpr uint16_t kMachine = EM_NONE;  // unknown: the dynamic linker has to tell
#endif
constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kByteOrder = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB;

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);
using Dynamic = ElfW(Dyn);

// Only this much of a section is read: real modules have less, and a damaged file may claim anything.
constexpr uint64_t kMostSectionBytes = uint64_t{64} << 20;
constexpr size_t kMostNameBytes = 4096;

// A part of a file, read as it is needed: the file may be of any size.
class Window {
 public:
  explicit Window(int fd) : fd_(fd) {}

  // False when the file has less.
  bool Read(uint64_t offset, void* to, size_t size) {
    auto* out = static_cast<char*>(to);
    while (size > 0) {
      if ((offset < start_ || offset >= start_ + size_) && !Move(offset)) return false;
      const size_t part = std::min<uint64_t>(size, start_ + size_ - offset);
      memcpy(out, bytes_.data() + (offset - start_), part);
      out += part, offset += part, size -= part;
    }
    return true;
  }

 private:
  bool Move(uint64_t offset) {
    if (offset > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) return false;
    const ssize_t count = pread(fd_, bytes_.data(), bytes_.size(), static_cast<off_t>(offset));
    start_ = offset;
    size_ = count > 0 ? static_cast<size_t>(count) : 0;
    return size_ > 0;
  }

  const int fd_;
  uint64_t start_ = 0;
  size_t size_ = 0;
  std::vector<char> bytes_ = std::vector<char>(32 * 1024);
};

class Image {
 public:
  Image(int fd, uint64_t size) : tables_(fd), names_(fd), size_(size) {}

  uint64_t size() const { return size_; }
  template <typename T>
  bool Get(uint64_t offset, T* value) {
    return offset <= size_ && size_ - offset >= sizeof(T) && tables_.Read(offset, value, sizeof(T));
  }
  std::string Text(uint64_t offset) {
    std::string text;
    for (char byte = 0; text.size() < kMostNameBytes; text += byte) {
      if (offset >= size_ || !names_.Read(offset++, &byte, 1) || byte == '\0') break;
    }
    return text;
  }
  template <typename T, typename Visit>
  void ForEach(const Section& section, Visit visit) {
    T entry = {};
    const uint64_t size = std::min<uint64_t>(section.sh_size, kMostSectionBytes);
    for (uint64_t at = 0; at + sizeof(T) <= size && Get(section.sh_offset + at, &entry); at += sizeof(T)) {
      visit(entry);
    }
  }

 private:
  Window tables_;
  Window names_;
  uint64_t size_;
};

}  // namespace

ElfFile::Kind ElfFile::Read(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return Kind::kUnreadable;
  Image image(file.get(), static_cast<uint64_t>(std::max<off_t>(status.st_size, 0)));
  Header header = {};
  if (!image.Get(0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return Kind::kOther;
  if (header.e_ident[EI_CLASS] != kClass || header.e_ident[EI_DATA] != kByteOrder ||
      (kMachine != EM_NONE && header.e_machine != kMachine)) {
    return Kind::kOtherMachine;
  }
  if (header.e_type != ET_DYN) return Kind::kOther;
  // The dynamic linker would map the missing part of a truncated file, and crash.
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Segment segment = {};
    if (!image.Get(header.e_phoff + i * sizeof(Segment), &segment)) return Kind::kOther;
    if (segment.p_filesz > image.size() || segment.p_offset > image.size() - segment.p_filesz) return Kind::kOther;
  }
  std::vector<Section> sections(header.e_shnum);
  for (size_t i = 0; i < sections.size(); ++i) {
    if (!image.Get(header.e_shoff + i * sizeof(Section), &sections[i])) return Kind::kThisMachine;
  }
  for (const Section& section : sections) {
    if (section.sh_link >= sections.size()) continue;
    const uint64_t strings = sections[section.sh_link].sh_offset;
    if (section.sh_type == SHT_DYNAMIC) {
      bool has_ended = false;
      image.ForEach<Dynamic>(section, [&](const Dynamic& entry) {
        has_ended = has_ended || entry.d_tag == DT_NULL;
        if (has_ended) return;
        if (entry.d_tag == DT_NEEDED) needed_.push_back(image.Text(strings + entry.d_un.d_val));
        const bool is_path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
        if (is_path) run_path_ = image.Text(strings + entry.d_un.d_val);
      });
    } else if (section.sh_type == SHT_DYNSYM) {
      image.ForEach<Symbol>(section, [&](const Symbol& symbol) {
        const bool is_wanted = symbol.st_shndx == SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL;
        if (is_wanted && symbol.st_name != 0) undefined_.push_back(image.Text(strings + symbol.st_name));
      });
    }
  }
  return Kind::kThisMachine;
}

#else

ElfFile::Kind ElfFile::Read(const std::string&) { return Kind::kOther; }

#endif

}  // namespace openssl_async
