// The addon's own library contexts. Node's default context and its configuration stay as they are.
#pragma once

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

using LibraryContextPointer = DeleteFnPtr<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

// The context with the providers `accelerator` and `base`. The first call that succeeds makes it, on any thread; it
// lives as long as the process. It follows the process into FIPS mode, and lacks an accelerator that CheckAccelerator()
// refuses.
Result<OSSL_LIB_CTX*> AcceleratorLibraryContext();

// ERR_ASYNC_FIPS when the process is in FIPS mode, and the accelerator has, or would have, no validated
// implementations.
Result<void> CheckAccelerator();

// State for `doctor`.
struct LibraryContextState {
  bool process_in_fips_mode = false;
  bool own_in_fips_mode = false;  // false without one
  bool has_own = false;
  const char* accelerated = nullptr;  // the accelerator's inner provider, "default" or "fips"
};
LibraryContextState GetLibraryContextState();

// Another context with these providers, for a further provider that must never be taken for the accelerator: a query
// that names no provider gets any.
Result<LibraryContextPointer> NewLibraryContext();

}  // namespace openssl_async
