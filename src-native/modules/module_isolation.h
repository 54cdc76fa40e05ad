// Modules that bring a libcrypto of their own into this process, such as PKCS#11 modules. Providers and engines open
// them, long after the process has its OpenSSL.
//
// On ELF all libraries share one space of names, and the process's names come first. The second libcrypto's calls to
// itself would reach the process's functions, which expect objects of another version. A module that is opened with
// RTLD_DEEPBIND, before anything else needs its libcrypto, finds its own libraries' functions first. macOS and Windows
// look names up in the linked library and need none of this.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "modules/contract.h"

namespace openssl_async {

struct SecondLibcrypto {
  std::string name;  // "libcrypto.so.3", which the module needs and the process's OpenSSL is not; empty for none
  bool can_isolate = false;
};

// The second libcrypto that a module would bring, as far as the files tell. Loads nothing. `path` may be a mere name.
SecondLibcrypto FindSecondLibcrypto(const std::string& path);

// Opens the module for good, bound to its own libcrypto. A module without one is left alone, except for kWanted.
Result<void> IsolateModule(const std::string& path, Isolation isolation);

// The PKCS#11 modules that a configuration file names; see config(5). Empty when the file cannot be read.
std::vector<std::string> ModulesOfConfiguration(const std::string& path);

}  // namespace openssl_async
