// The provider `accelerator`: the default provider's asymmetric and key derivation algorithms, which run on a pool of
// threads while the OpenSSL job that asked for them is paused. Everything else (digests, ciphers, encoders, …) is to
// come from the default provider, loaded beside it.
#pragma once

#include <openssl/core.h>

namespace openssl_async {

constexpr char kAcceleratorName[] = "accelerator";

// For OSSL_PROVIDER_add_builtin(3), and what a module exports as OSSL_provider_init.
int AcceleratorProviderInit(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions,
                            void** context);

}  // namespace openssl_async
