// What a shared library of ELF needs, read from its file without loading it.
#pragma once

#include <string>
#include <vector>

namespace openssl_async {

class ElfFile {
 public:
  enum class Kind { kOther, kOtherMachine, kThisMachine, kUnreadable };

  // Of what is damaged, as much is read as makes sense. kUnreadable: errno says why.
  Kind Read(const std::string& path);

  // The libraries that it names.
  const std::vector<std::string>& needed() const { return needed_; }
  // Where it looks for them, by colons: DT_RUNPATH, or DT_RPATH.
  const std::string& run_path() const { return run_path_; }
  // Names that others have to define.
  const std::vector<std::string>& undefined() const { return undefined_; }

 private:
  std::vector<std::string> needed_;
  std::string run_path_;
  std::vector<std::string> undefined_;
};

}  // namespace openssl_async
