// Asymmetric keys as operations use them. Immutable, shared by any number of threads.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/provider_scope.h"
#include "openssl/pointers.h"

namespace openssl_async {

class Key {
 public:
  // `holder` has the private part and is kept as long as the key; null for a key of our own.
  Key(EvpPkeyPointer pkey, ProviderScope scope, std::shared_ptr<void> holder = nullptr)
      : holder_(std::move(holder)), pkey_(std::move(pkey)), scope_(std::move(scope)) {}

  // From SubjectPublicKeyInfo, or unencrypted PKCS#8 when `is_private`. `type`, OpenSSL's name, spares trying all
  // types; null when unknown.
  static Result<std::shared_ptr<Key>> FromDer(ByteView der, bool is_private, const char* type,
                                              const ProviderScope& scope);
  // The same; null on failure, with the reason on the thread's error queue.
  static EvpPkeyPointer Decode(ByteView der, bool is_private, const char* type, const ProviderScope& scope);

  // As Decode(), by way of the process's own providers: for a provider that decodes nothing by itself.
  static EvpPkeyPointer Transfer(ByteView der, bool is_private, const char* type, const ProviderScope& scope);

  EVP_PKEY* pkey() const { return pkey_.get(); }
  const ProviderScope& scope() const { return scope_; }
  bool Is(const char* type) const { return EVP_PKEY_is_a(pkey_.get(), type) == 1; }

  // Of the curve or of another group; empty for types without one.
  std::string GroupName() const;

  // A context for an operation with this key, in its scope.
  EvpPkeyCtxPointer NewContext() const {
    return EvpPkeyCtxPointer(EVP_PKEY_CTX_new_from_pkey(scope_.library_context, pkey_.get(), scope_.query()));
  }

 private:
  const std::shared_ptr<void> holder_;  // released after its key
  EvpPkeyPointer pkey_;
  ProviderScope scope_;
};

}  // namespace openssl_async
