// The addon's own library contexts. Node's default context, and its configuration, stay as they are.
#pragma once

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

using LibraryContextPointer = DeleteFnPtr<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

// With the providers `accelerator` and `base`. Made at the first call that succeeds, on any thread; it lives as long as
// the process. In FIPS mode it is in FIPS mode too, and without an accelerator where that could not be.
Result<OSSL_LIB_CTX*> AcceleratorLibraryContext();

// ERR_ASYNC_FIPS when the process is in FIPS mode, and the accelerator has, or would have, no validated
// implementations.
Result<void> CheckAccelerator();

// What `doctor` says of them.
struct LibraryContextState {
  bool process_in_fips_mode = false;
  bool own_in_fips_mode = false;  // as far as there is one
  bool has_own = false;
  const char* accelerated = nullptr;  // the provider that the accelerator hands work to, "default" or "fips"
};
LibraryContextState GetLibraryContextState();

// Another one with these providers, for a further one that must never be taken for the accelerator: whoever names none
// in a query gets any.
Result<LibraryContextPointer> NewLibraryContext();

}  // namespace openssl_async
