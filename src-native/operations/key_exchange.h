// Diffie-Hellman: DH (PKCS #3), ECDH, X25519 and X448 (RFC 7748).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// keys: [private key].
// Inputs of a call: the peer's SubjectPublicKeyInfo; or, for a peer of the same type and curve, the point as RFC 7748
// or SEC 1 encode it. Output: the secret, as long as the group's numbers.
SpecResult CreateKeyExchangeSpec(SpecRequest request);

}  // namespace openssl_async
