// New key pairs.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [OpenSSL's name of the type, curve (EC) or group (DH), digest and digest of MGF1 (RSA-PSS), cipher that the
// private key is encrypted with], each "" for none;
// numbers: [bits (RSA, RSA-PSS, DSA, DH), public exponent (RSA, RSA-PSS), salt length (RSA-PSS), bits of the divisor
// (DSA), generator (DH), 1 for explicit parameters (EC), 1 for a private key in its type's own structure];
// bytes: [prime (DH)] or none.
// Inputs of a call: the passphrase, if there is a cipher. Outputs: SubjectPublicKeyInfo, PKCS#8 or that structure.
SpecResult CreateKeyGenerationSpec(SpecRequest request);

}  // namespace openssl_async
