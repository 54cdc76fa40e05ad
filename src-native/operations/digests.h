// Message digests by the names that node:crypto knows.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "keys/provider_scope.h"
#include "openssl/pointers.h"

namespace openssl_async {

// Null when there is none of this name.
inline EvpMdPointer FetchDigest(const std::string& name, const ProviderScope& scope) {
  // Legacy names such as RSA-SHA256 are aliases that providers do not know.
  const EVP_MD* legacy = EVP_get_digestbyname(name.c_str());
  const char* fetched_name = legacy != nullptr ? EVP_MD_get0_name(legacy) : name.c_str();
  return EvpMdPointer(EVP_MD_fetch(scope.library_context, fetched_name, scope.query()));
}

}  // namespace openssl_async
