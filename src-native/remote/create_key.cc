#include "remote/create_key.h"

#include <openssl/params.h>
#include <openssl/provider.h>

#include <mutex>
#include <vector>

#include "base/lasting.h"
#include "libraries/library_context.h"
#include "openssl/error_queue.h"
#include "remote/holder_table.h"
#include "remote/provider.h"

namespace openssl_async {

namespace {

constexpr char kStrictQuery[] = "provider=remote";

// Loads the provider into a library context of its own: other keys would be lost there.
Result<LibraryContextPointer> LoadProvider() {
  const ErrorQueueScope errors;
  Result<LibraryContextPointer> created = NewLibraryContext();
  if (!created.ok()) return created.error();
  OSSL_LIB_CTX* context = created.value().get();
  if (OSSL_PROVIDER_add_builtin(context, kRemoteName, RemoteProviderInit) == 1 &&
      OSSL_PROVIDER_load(context, kRemoteName) != nullptr) {
    return created;
  }
  return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not load the provider of remote keys.",
               ErrorQueue::Take().Lines()};
}

EvpPkeyPointer Make(EVP_PKEY* public_key, OSSL_LIB_CTX* library_context, uint64_t* holder_number) {
  using ParamsPointer = DeleteFnPtr<OSSL_PARAM, OSSL_PARAM_free>;
  OSSL_PARAM* exported = nullptr;
  if (EVP_PKEY_todata(public_key, EVP_PKEY_PUBLIC_KEY, &exported) != 1) return nullptr;
  const ParamsPointer owned(exported);
  std::vector<OSSL_PARAM> params;
  for (; exported->key != nullptr; ++exported) params.push_back(*exported);
  params.push_back(OSSL_PARAM_construct_uint64(kHolderParam, holder_number));
  params.push_back(OSSL_PARAM_construct_end());
  const EvpPkeyCtxPointer context(
      EVP_PKEY_CTX_new_from_name(library_context, EVP_PKEY_get0_type_name(public_key), kStrictQuery));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.data()) != 1) {
    return nullptr;
  }
  return EvpPkeyPointer(key);
}

}  // namespace

Result<ProviderScope> RemoteScope() {
  static Lasting<LibraryContextPointer> lasting;
  if (Result<void> allowed = CheckAccelerator(); !allowed.ok()) return allowed.error();
  Result<LibraryContextPointer*> context = lasting.Get(LoadProvider);
  if (!context.ok()) return context.error();
  // Preferred, not required: digests and the like come from the other providers.
  return ProviderScope{context.value()->get(), "?provider=remote", true};
}

Result<std::shared_ptr<Key>> CreateRemoteKey(ByteView spki, const char* type,
                                             std::shared_ptr<const RemoteHolder> holder) {
  Result<ProviderScope> scope = RemoteScope();
  if (!scope.ok()) return scope.error();
  const ErrorQueueScope errors;
  const EvpPkeyPointer public_key = Key::Decode(spki, false, type, ProviderScope());
  HolderTicket ticket(std::move(holder));
  EvpPkeyPointer key =
      public_key ? Make(public_key.get(), scope.value().library_context, ticket.number()) : EvpPkeyPointer();
  if (!key) return Error{"ERR_ASYNC_INVALID_KEY", "The key cannot be used", ErrorQueue::Take().Lines()};
  return std::make_shared<Key>(std::move(key), scope.value());
}

}  // namespace openssl_async
