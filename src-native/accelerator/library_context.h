// The addon's own library contexts. Node's default context, and its configuration, stay as they are.
#pragma once

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

using LibraryContextPointer = DeleteFnPtr<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

// With the providers `accelerator` and `base`. Made at the first call that succeeds, on any
// thread; it lives as long as the process.
Result<OSSL_LIB_CTX*> AcceleratorLibraryContext();

// Another one with these providers, for a further one that must never be taken for the accelerator: whoever names none
// in a query gets any.
Result<LibraryContextPointer> NewLibraryContext();

}  // namespace openssl_async
