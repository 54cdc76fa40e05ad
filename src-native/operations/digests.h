// Message digests by the names that node:crypto knows.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "base/result.h"
#include "keys/provider_scope.h"
#include "openssl/error_queue.h"
#include "openssl/pointers.h"

namespace openssl_async {

// Whether OpenSSL knows the name, even if no loaded provider has the digest.
inline bool IsDigestName(const std::string& name) { return EVP_get_digestbyname(name.c_str()) != nullptr; }

// An extendable-output function gives as many bytes as it is asked for.
inline bool IsExtendable(const EVP_MD* digest) { return (EVP_MD_get_flags(digest) & EVP_MD_FLAG_XOF) != 0; }

// Null, with the reason on OpenSSL's error queue, when there is none of this name.
inline EvpMdPointer FetchDigest(const std::string& name, const ProviderScope& scope) {
  // Legacy names such as RSA-SHA256 are aliases that providers do not know.
  const EVP_MD* legacy = EVP_get_digestbyname(name.c_str());
  const char* fetched_name = legacy != nullptr ? EVP_MD_get0_name(legacy) : name.c_str();
  EvpMdPointer digest(EVP_MD_fetch(scope.library_context, fetched_name, scope.query()));
  // The digest "NULL" is none: it leaves its output as it was. Since OpenSSL 3.4, SHAKE has no size either.
  if (digest && EVP_MD_get_size(digest.get()) <= 0 && !IsExtendable(digest.get())) return nullptr;
  return digest;
}

// A digest for use inside another algorithm: a provider of keys may leave digests to others.
inline EvpMdPointer FetchHelperDigest(const std::string& name, const ProviderScope& scope) {
  EvpMdPointer digest = FetchDigest(name, scope);
  if (digest || scope.query() == nullptr) return digest;
  ProviderScope anywhere = scope;
  anywhere.properties.clear();
  return FetchDigest(name, anywhere);
}

// In bytes; for an extendable digest, node:crypto's default.
inline size_t DefaultSizeOf(const EVP_MD* digest) {
  if (const int size = EVP_MD_get_size(digest); size > 0) return static_cast<size_t>(size);
  return EVP_MD_is_a(digest, "SHAKE128") == 1 ? 16 : 32;  // since OpenSSL 3.4, SHAKE has no size
}

// The error for a missing digest: node:crypto tells unknown names from digests that no provider offers.
inline Error DigestError(const std::string& name) {
  if (EVP_get_digestbyname(name.c_str()) == nullptr) {
    return Error{"ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + name, {}};
  }
  return Error{"", "The digest is not available", ErrorQueue::Take().Lines()};
}

}  // namespace openssl_async
