#include "accelerator/library_context.h"

#include <openssl/provider.h>

#include "accelerator/provider.h"
#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

using LibraryContextPointer = DeleteFnPtr<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

Result<OSSL_LIB_CTX*> Create() {
  const ErrorQueueScope errors;
  LibraryContextPointer context(OSSL_LIB_CTX_new());
  if (context && OSSL_PROVIDER_add_builtin(context.get(), kAcceleratorName, AcceleratorProviderInit) == 1 &&
      OSSL_PROVIDER_load(context.get(), kAcceleratorName) != nullptr &&
      OSSL_PROVIDER_load(context.get(), "base") != nullptr) {
    return context.release();
  }
  return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not load the accelerator's provider.",
               ErrorQueue::Take().Lines()};
}

}  // namespace

Result<OSSL_LIB_CTX*> AcceleratorLibraryContext() {
  static const auto* const context = new Result<OSSL_LIB_CTX*>(Create());
  return *context;
}

}  // namespace openssl_async
