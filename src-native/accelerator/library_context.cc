#include "accelerator/library_context.h"

#include <openssl/provider.h>

#include "accelerator/provider.h"
#include "base/lasting.h"
#include "openssl/error_queue.h"

namespace openssl_async {

Result<LibraryContextPointer> NewLibraryContext() {
  const ErrorQueueScope errors;
  LibraryContextPointer context(OSSL_LIB_CTX_new());
  if (context && OSSL_PROVIDER_add_builtin(context.get(), kAcceleratorName, AcceleratorProviderInit) == 1 &&
      OSSL_PROVIDER_load(context.get(), kAcceleratorName) != nullptr &&
      OSSL_PROVIDER_load(context.get(), "base") != nullptr) {
    return context;
  }
  return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not load the accelerator's provider.",
               ErrorQueue::Take().Lines()};
}

Result<OSSL_LIB_CTX*> AcceleratorLibraryContext() {
  static Lasting<LibraryContextPointer> lasting;
  Result<LibraryContextPointer*> context = lasting.Get(NewLibraryContext);
  if (!context.ok()) return context.error();
  return context.value()->get();
}

}  // namespace openssl_async
