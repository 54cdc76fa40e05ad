#include <dlfcn.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

#include "modules/elf_file.h"
#include "modules/module_isolation.h"
#include "openssl/version.h"

namespace openssl_async {

#ifdef __linux__

namespace {

struct LibraryCloser {
  void operator()(void* handle) const { dlclose(handle); }
};
using LibraryPointer = std::unique_ptr<void, LibraryCloser>;

constexpr size_t kMostFiles = 64;

bool IsFile(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// `list` is separated by colons; $ORIGIN is the folder of the file with the list.
void AddFolders(std::vector<std::string>& folders, const std::string& list, const std::string& origin) {
  std::istringstream stream(list);
  for (std::string folder; std::getline(stream, folder, ':');) {
    for (const std::string name : {"$ORIGIN", "${ORIGIN}"}) {
      if (const size_t at = folder.find(name); at != std::string::npos) folder.replace(at, name.size(), origin);
    }
    if (!folder.empty()) folders.push_back(folder);
  }
}

// Searches as the dynamic linker does, without its cache.
std::string Locate(const std::string& name, const std::string& run_path, const std::string& origin) {
  if (name.find('/') != std::string::npos) return IsFile(name) ? name : "";
  std::vector<std::string> folders;
  AddFolders(folders, run_path, origin);
  if (const char* extra = getenv("LD_LIBRARY_PATH"); extra != nullptr) AddFolders(folders, extra, origin);
#if defined(__x86_64__)
  AddFolders(folders, "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu", "");
#elif defined(__aarch64__)
  AddFolders(folders, "/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu", "");
#endif
  AddFolders(folders, "/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib64:/usr/local/lib", "");
  for (const std::string& folder : folders) {
    std::string path = folder;
    path.append("/").append(name);
    if (IsFile(path)) return path;
  }
  return "";
}

// Whether this library is the process's own OpenSSL, linked rather than built in.
bool IsProcessOwn(const std::string& library) {
  Dl_info info = {};
  void* function = dlsym(RTLD_DEFAULT, "OPENSSL_version_major");
  if (function == nullptr || dladdr(function, &info) == 0 || info.dli_fname == nullptr) return false;
  return NameOf(info.dli_fname).rfind(library, 0) == 0;
}

bool CanDeepBind() {
#ifdef RTLD_DEEPBIND
  // AddressSanitizer ends a process that uses RTLD_DEEPBIND.
  return !HasSymbol("__asan_init");
#else
  return false;
#endif
}

// Whether an OpenSSL of another version than the process's is loaded already.
bool IsLoadedAndOther(const std::string& library) {
  const LibraryPointer loaded(dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD));
  if (!loaded) return false;
  union {
    void* address;
    unsigned (*function)();
  } minor = {dlsym(loaded.get(), "OPENSSL_version_minor")};
  return minor.address == nullptr || minor.function() != OPENSSL_version_minor();
}

Error Incompatible(const std::string& path, const std::string& reason) {
  return Error{"ERR_ASYNC_MODULE_INCOMPATIBLE", "'" + path + "' cannot work in this process: " + reason, {}};
}

constexpr const char* kRemote = "Run the module in a process of its own, as p11-kit's remoting (p11-kit server) does.";

}  // namespace

SecondLibcrypto FindSecondLibcrypto(const std::string& path) {
  SecondLibcrypto result;
  std::vector<std::string> files = {Locate(path, "", "")};
  for (size_t i = 0; i < files.size() && i < kMostFiles; ++i) {
    ElfFile file;
    if (files[i].empty() || file.Read(files[i]) != ElfFile::Kind::kThisMachine) continue;
    for (const std::string& needed : file.needed()) {
      if (needed.rfind("libcrypto.so", 0) == 0 && !IsProcessOwn(needed)) {
        result.name = needed;
        result.can_isolate = CanDeepBind();
        return result;
      }
      std::string found = Locate(needed, file.run_path(), FolderOf(files[i]));
      if (std::find(files.begin(), files.end(), found) == files.end()) files.push_back(std::move(found));
    }
  }
  return result;
}

Result<void> IsolateModule(const std::string& path, Isolation isolation) {
  const bool is_wanted = isolation == Isolation::kWanted;
  static auto* const mutex = new std::mutex();
  static auto* const isolated = new std::set<std::string>();
  const std::lock_guard<std::mutex> lock(*mutex);
  if (isolated->count(path) != 0) return {};
  const std::string file = Locate(path, "", "");
  if (file.empty()) return is_wanted ? Result<void>(Incompatible(path, "there is no such file")) : Result<void>();
  const SecondLibcrypto second = FindSecondLibcrypto(file);
  if (second.name.empty() && !is_wanted) return {};
  if (!CanDeepBind()) {
    if (!is_wanted) return {};
    return Incompatible(path, std::string("this C library cannot keep the module's libcrypto apart. ") + kRemote);
  }
#ifdef RTLD_DEEPBIND
  if (isolated->empty() && !second.name.empty() && IsLoadedAndOther(second.name)) {
    if (isolation == Isolation::kEngine) return {};
    return Incompatible(path, "it needs " + second.name + ", which is loaded already and bound to this process's " +
                                  OpenSSLVersion() + ". Load the module first, with `isolate`. Otherwise: " + kRemote);
  }
  if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND | RTLD_NODELETE) == nullptr) {
    const char* words = dlerror();
    // A later opener reports the failure, or does without the module.
    return is_wanted ? Result<void>(Incompatible(path, words == nullptr ? "it cannot be loaded" : words))
                     : Result<void>();
  }
  isolated->insert(path);
#endif
  return {};
}

#else

SecondLibcrypto FindSecondLibcrypto(const std::string&) { return {}; }
Result<void> IsolateModule(const std::string&, Isolation) { return {}; }

#endif

}  // namespace openssl_async
