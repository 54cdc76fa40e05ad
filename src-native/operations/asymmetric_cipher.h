// RSA as a cipher: OAEP, PKCS#1 v1.5 and no padding, with either half of a key (RFC 8017).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [digest of OAEP, or "" for OpenSSL's]; numbers: [padding]; keys: [key].
// Inputs of a call: AsymmetricCipherInput. Output: the result.
SpecResult CreatePublicEncryptSpec(SpecRequest request);
// PKCS#1 v1.5 only where OpenSSL rejects implicitly, as in node:crypto: otherwise an attacker who sees failures can
// decrypt.
SpecResult CreatePrivateDecryptSpec(SpecRequest request);
// Signs the data without hashing.
SpecResult CreatePrivateEncryptSpec(SpecRequest request);
// Recovers the signed data from a signature.
SpecResult CreatePublicDecryptSpec(SpecRequest request);

}  // namespace openssl_async
