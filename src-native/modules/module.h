// Checks whether a shared library can work in this process, before OpenSSL loads it. OpenSSL does not say why a library
// cannot work, and does not notice functions of another libcrypto.
#pragma once

#include <string>

#include "base/result.h"

namespace openssl_async {

// Loads the library, which runs its constructors. `entry` is a function that the library must export. A good library's
// code stays in the process: functions that it left behind, such as a wait fd's clean-up, may be called at any time.
// ERR_ASYNC_MODULE_INCOMPATIBLE; OpenSSL itself reports a missing file.
Result<void> CheckModule(const std::string& path, const char* entry);

// The path as OpenSSL's functions take it. Windows' OpenSSL takes bytes of the process's code page; CheckModule()
// refuses a path that has none.
std::string PathForOpenSSL(const std::string& path);

// The ending of the platform's shared libraries, for example ".so".
const char* ModuleEnding();

}  // namespace openssl_async
