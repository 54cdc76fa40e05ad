// Keys from passwords and from other keys: HKDF (RFC 5869), PBKDF2 (RFC 8018), scrypt (RFC 7914).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: KeyDerivationName. Output of a call: the derived key. Its numbers and inputs:
//   HKDF:   [the output's size]    HkdfInput
//   PBKDF2: Pbkdf2Number           PasswordInput
//   SCRYPT: ScryptNumber           PasswordInput
SpecResult CreateKeyDerivationSpec(SpecRequest request);

}  // namespace openssl_async
