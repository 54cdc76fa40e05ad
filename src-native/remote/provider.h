// The provider `remote`: private keys that somebody else holds. Operations ask the holder while their OpenSSL job is
// paused. RSA, RSA-PSS, ECDSA, Ed25519 and Ed448 sign; RSA decrypts; ECDH, X25519 and X448 derive.
#pragma once

#include <openssl/core.h>

namespace openssl_async {

constexpr char kRemoteName[] = "remote";

// For OSSL_PROVIDER_add_builtin(3).
int RemoteProviderInit(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions,
                       void** context);

}  // namespace openssl_async
