// Modules that bring a libcrypto of their own into this process, such as those of PKCS#11: providers and engines open
// them, long after the process has its OpenSSL.
//
// On ELF the names of all libraries are one space, and the process's come first: the second libcrypto's calls to itself
// would be bound to the process's functions, which work on objects of another version. Opened before anything else
// needs that library, and with RTLD_DEEPBIND, a module and what it needs find their own first. macOS and Windows look
// names up in the library that was linked: nothing has to be done there.
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

// What a module would bring, as far as its file and those that it needs say. Loads nothing. `path` may be a mere name.
SecondLibcrypto FindSecondLibcrypto(const std::string& path);

// Opens the module for good, bound to its own libcrypto. One that has none is left alone, unless it is wanted.
Result<void> IsolateModule(const std::string& path, Isolation isolation);

// The modules of PKCS#11 that a configuration file names; see config(5). Empty for a file that cannot be read.
std::vector<std::string> ModulesOfConfiguration(const std::string& path);

}  // namespace openssl_async
