// Whether a shared library can work in this process: asked before OpenSSL loads it, which does not say why one cannot,
// nor notices that half of its functions are another libcrypto's.
#pragma once

#include <string>

#include "base/result.h"

namespace openssl_async {

// Loads it, which runs its constructors. `entry` is a function that it has to export. Once found good, its code stays
// in the process: what it left behind, such as the clean-up function of a wait fd, may be called at any time.
// ERR_ASYNC_MODULE_INCOMPATIBLE; that there is no such file is for OpenSSL to say.
Result<void> CheckModule(const std::string& path, const char* entry);

// Of the platform's shared libraries, ".so" for example.
const char* ModuleEnding();

}  // namespace openssl_async
