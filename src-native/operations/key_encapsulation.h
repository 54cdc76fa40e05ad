// Key encapsulation: ML-KEM (FIPS 203), RSASVE (NIST SP 800-56B), DHKEM with NIST's curves, X25519 and X448 (RFC 9180).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// keys: [key]. Inputs of a call: none. Outputs: the shared key, the ciphertext.
SpecResult CreateEncapsulateSpec(SpecRequest request);
// keys: [private key]. Inputs of a call: the ciphertext. Output: the shared key.
SpecResult CreateDecapsulateSpec(SpecRequest request);

}  // namespace openssl_async
