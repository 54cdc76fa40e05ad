// Whether the process is in FIPS mode, as crypto.getFips() says it.
#pragma once

#include <openssl/evp.h>

namespace openssl_async {

// In FIPS mode the default properties say fips=yes: a fetch gives a validated implementation, or none. Any thread;
// about 50 ns.
inline bool InFipsMode(OSSL_LIB_CTX* context = nullptr) { return EVP_default_properties_is_fips_enabled(context) == 1; }

}  // namespace openssl_async
