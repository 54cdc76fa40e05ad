// The provider `accelerator`: all that the default provider has, but asymmetric operations and key derivation run on a
// pool of threads while the OpenSSL job that asked for them is paused. Encoders and decoders are to come from the
// provider `base`, or from the default provider, loaded beside it. With the latter, keys are decoded into the default
// provider, and copied to this one for the first operation that a property query gives to it.
#pragma once

#include <openssl/core.h>

namespace openssl_async {

constexpr char kAcceleratorName[] = "accelerator";

// For OSSL_PROVIDER_add_builtin(3), and what a module exports as OSSL_provider_init.
int AcceleratorProviderInit(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions,
                            void** context);

}  // namespace openssl_async
