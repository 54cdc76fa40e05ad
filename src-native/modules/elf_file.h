// An ELF shared library's needs, read from its file without loading it.
#pragma once

#include <string>
#include <vector>

namespace openssl_async {

class ElfFile {
 public:
  enum class Kind { kOther, kOtherMachine, kThisMachine, kUnreadable };

  // Reads as much of a damaged file as makes sense. kUnreadable: errno says why.
  Kind Read(const std::string& path);

  // Names of the libraries that it needs.
  const std::vector<std::string>& needed() const { return needed_; }
  // The search path for these libraries, separated by colons: DT_RUNPATH, or DT_RPATH.
  const std::string& run_path() const { return run_path_; }
  // Symbols that other libraries have to define.
  const std::vector<std::string>& undefined() const { return undefined_; }

 private:
  std::vector<std::string> needed_;
  std::string run_path_;
  std::vector<std::string> undefined_;
};

}  // namespace openssl_async
