// Signing and verifying: RSA (PKCS#1 v1.5, PSS), ECDSA, DSA, Ed25519, Ed448, ML-DSA, SLH-DSA.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [digest, or "" for the key's own]; numbers: SignatureNumber; keys: [key]; bytes: [context string, if any].
// Inputs of a call: the data. Output: the signature.
SpecResult CreateSignSpec(SpecRequest request);
// Inputs of a call: VerifyInput. Value: 1 when it is valid, else 0.
SpecResult CreateVerifySpec(SpecRequest request);

}  // namespace openssl_async
