// The provider `accelerator`: the default provider's algorithms, but asymmetric operations and key derivation run on a
// pool of threads while the asking OpenSSL job is paused. Encoders and decoders come from the provider `base`, or from
// the default provider, loaded beside this one. The default provider decodes keys into itself; they are copied to this
// provider for the first operation that a property query gives to it.
#pragma once

#include <openssl/core.h>

namespace openssl_async {

constexpr char kAcceleratorName[] = "accelerator";

// For OSSL_PROVIDER_add_builtin(3), and for a module's OSSL_provider_init.
int AcceleratorProviderInit(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions,
                            void** context);

}  // namespace openssl_async
