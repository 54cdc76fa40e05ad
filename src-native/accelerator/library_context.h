// The addon's own library context. Node's default context, and its configuration, stay as they are.
#pragma once

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

// With the providers `accelerator` and `base`. Made at the first call, on any thread; it lives as long as the process.
Result<OSSL_LIB_CTX*> AcceleratorLibraryContext();

}  // namespace openssl_async
