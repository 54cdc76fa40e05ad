#include <dlfcn.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "modules/elf_file.h"
#include "modules/module.h"

namespace openssl_async {

namespace {

struct LibraryCloser {
  void operator()(void* handle) const { dlclose(handle); }
};
using LibraryPointer = std::unique_ptr<void, LibraryCloser>;

Error Incompatible(const std::string& path, const std::string& reason) {
  return Error{"ERR_ASYNC_MODULE_INCOMPATIBLE", "'" + path + "' cannot work in this process: " + reason, {}};
}

bool Contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The name that follows `mark` in the dynamic linker's message.
std::string NameAfter(const std::string& text, const char* mark) {
  const size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const size_t begin = at + strlen(mark);
  return text.substr(begin, text.find_first_of(" ,\n\t'", begin) - begin);
}

// Our words for those messages of the dynamic linker that we know.
std::string ReasonOf(const std::string& words) {
  const std::string symbol = NameAfter(words, "undefined symbol: ");
  if (!symbol.empty()) return "missing symbol " + symbol + ", which nothing here exports";
  if (Contains(words, "incompatible architecture")) return "wrong architecture (" + words + ")";
  if (Contains(words, "not a mach-o")) return "not a module (" + words + ")";
  return words;
}

// Whether a library is an OpenSSL of another major version than the running one, whose objects have another layout.
bool IsOtherOpenSSL(const std::string& library) {
  for (const char* stem : {"libcrypto.so.", "libssl.so."}) {
    if (library.rfind(stem, 0) == 0) return library != stem + std::to_string(OPENSSL_version_major());
  }
  return false;
}

// A function that the process's OpenSSL lacks, so that it would come from another copy; empty when there is none.
std::string ForeignFunction(const ElfFile& file, void* handle) {
  for (const std::string& name : file.undefined()) {
    if (dlsym(RTLD_DEFAULT, name.c_str()) != nullptr) continue;
    void* found = dlsym(handle, name.c_str());
    Dl_info info = {};
    if (found == nullptr || dladdr(found, &info) == 0 || info.dli_fname == nullptr) continue;
    if (Contains(info.dli_fname, "libcrypto.") || Contains(info.dli_fname, "libssl.")) {
      return name + ", which only " + info.dli_fname + " has";
    }
  }
  return "";
}

}  // namespace

Result<void> CheckModule(const std::string& path, const char* entry) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  if (!S_ISREG(status.st_mode)) return Incompatible(path, "not a module");
  ElfFile file;
#ifdef __linux__
  // The dynamic linker reports a file for another machine as missing.
  switch (file.Read(path)) {
    case ElfFile::Kind::kOther:
      return Incompatible(path, "not a module");
    case ElfFile::Kind::kUnreadable:
      return Incompatible(path, std::string("it cannot be read: ") + strerror(errno));
    case ElfFile::Kind::kOtherMachine:
      return Incompatible(path, "wrong architecture");
    case ElfFile::Kind::kThisMachine:
      break;
  }
#endif
  for (const std::string& library : file.needed()) {
    if (IsOtherOpenSSL(library)) return Incompatible(path, "another libcrypto: it was compiled against " + library);
  }
  // RTLD_NOW: a missing function is an error here, and would be a crash when it is called.
  const LibraryPointer library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library) {
    const char* words = dlerror();
    return Incompatible(path, ReasonOf(words == nullptr ? "it cannot be loaded" : words));
  }
  if (dlsym(library.get(), entry) == nullptr) {
    return Incompatible(path, std::string("not a module of this kind: missing symbol ") + entry);
  }
  const std::string foreign = ForeignFunction(file, library.get());
  if (!foreign.empty()) return Incompatible(path, "another libcrypto: it needs " + foreign);
  const LibraryPointer kept(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  return {};
}

std::string PathForOpenSSL(const std::string& path) { return path; }

const char* ModuleEnding() {
#ifdef __APPLE__
  return ".dylib";
#else
  return ".so";
#endif
}

}  // namespace openssl_async
