#include "libraries/library_context.h"

#include <openssl/provider.h>

#include <mutex>

#include "accelerator/provider.h"
#include "openssl/error_queue.h"
#include "openssl/fips.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

namespace {

Error InitFailed() {
  return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not load the accelerator's provider.",
               ErrorQueue::Take().Lines()};
}

bool AddAccelerator(OSSL_LIB_CTX* context) {
  return OSSL_PROVIDER_add_builtin(context, kAcceleratorName, AcceleratorProviderInit) == 1 &&
         OSSL_PROVIDER_load(context, kAcceleratorName) != nullptr;
}

// Puts the context into FIPS mode, or out of it, as the process is.
bool FollowProcess(OSSL_LIB_CTX* context) {
  const bool is_fips = InFipsMode();
  return InFipsMode(context) == is_fips || EVP_default_properties_enable_fips(context, is_fips ? 1 : 0) == 1;
}

struct OwnContext {
  std::mutex mutex;
  LibraryContextPointer context;
  bool has_accelerator = false;

  static OwnContext& Get() {
    static auto* const own = new OwnContext();
    return *own;
  }
};

}  // namespace

Result<void> CheckAccelerator() {
  if (!InFipsMode()) return {};
  const DefaultProvider* inner = DefaultProvider::Get();
  if (inner == nullptr) {
    return Error{
        "ERR_ASYNC_FIPS", "The process is in FIPS mode, and none of its providers has validated algorithms", {}};
  }
  if (inner->is_fips()) return {};
  return Error{"ERR_ASYNC_FIPS",
               "The process entered FIPS mode after the accelerator or a remote key had been set up without it: call "
               "crypto.setFips(true) first, or run node --force-fips",
               {}};
}

Result<LibraryContextPointer> NewLibraryContext() {
  const ErrorQueueScope errors;
  LibraryContextPointer context(OSSL_LIB_CTX_new());
  // Loaded first: OpenSSL adds its default provider only to a context without providers.
  if (context && OSSL_PROVIDER_load(context.get(), "base") != nullptr && FollowProcess(context.get()) &&
      AddAccelerator(context.get())) {
    return context;
  }
  return InitFailed();
}

Result<OSSL_LIB_CTX*> AcceleratorLibraryContext() {
  const ErrorQueueScope errors;
  OwnContext& own = OwnContext::Get();
  const std::lock_guard<std::mutex> lock(own.mutex);
  if (!own.context) {
    LibraryContextPointer made(OSSL_LIB_CTX_new());
    if (!made || OSSL_PROVIDER_load(made.get(), "base") == nullptr) return InitFailed();
    own.context = std::move(made);
  }
  if (!FollowProcess(own.context.get())) return InitFailed();
  if (!own.has_accelerator && CheckAccelerator().ok()) {
    if (!AddAccelerator(own.context.get())) return InitFailed();
    own.has_accelerator = true;
  }
  return own.context.get();
}

LibraryContextState GetLibraryContextState() {
  OwnContext& own = OwnContext::Get();
  const std::lock_guard<std::mutex> lock(own.mutex);
  LibraryContextState state;
  state.process_in_fips_mode = InFipsMode();
  state.has_own = own.context != nullptr;
  state.own_in_fips_mode = state.has_own && InFipsMode(own.context.get());
  if (own.has_accelerator) state.accelerated = DefaultProvider::Get()->is_fips() ? "fips" : "default";
  return state;
}

}  // namespace openssl_async
