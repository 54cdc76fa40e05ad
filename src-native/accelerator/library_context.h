#pragma once
#include "base/result.h"
#include "openssl/pointers.h"
namespace openssl_async {
inline Result<OSSL_LIB_CTX*> AcceleratorLibraryContext() { return Error{"ERR_ASYNC_UNSUPPORTED", "none", {}}; }
}  // namespace openssl_async
