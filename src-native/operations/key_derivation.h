// Keys from passwords and from other keys: HKDF (RFC 5869), PBKDF2 (RFC 8018), scrypt (RFC 7914).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [function: HKDF, PBKDF2 or SCRYPT; digest, empty for SCRYPT].
// Output of a call: the derived key. The first number is its length. The other numbers, and the inputs:
//   HKDF:   []                                              the key, the salt, the info
//   PBKDF2: [iterations]                                    the password, the salt
//   SCRYPT: [N, r, p, most bytes of memory]                 the password, the salt
SpecResult CreateKeyDerivationSpec(SpecRequest request);

}  // namespace openssl_async
