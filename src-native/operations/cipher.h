// Symmetric ciphers.
#pragma once

#include "operations/cipher_context.h"
#include "operations/operation_spec.h"

namespace openssl_async {

// Whole messages.
// names: [cipher]; bytes: [key], unless each call brings its own.
// A call has CipherNumber and CipherInput. Outputs: the result, the tag of an encryption. Value: whether the cipher
// authenticates.
SpecResult CreateCipherSpec(SpecRequest request, CipherDirection direction);

// A message that comes in parts. The spec holds the state; its calls come strictly one after the other, and none after
// the last.
// names: [cipher]; numbers: [tag length]; bytes: [key, IV unless the cipher needs none].
// A call has CipherPartNumber and CipherPartInput. Outputs: the next part of the result, the tag at the end of an
// encryption.
SpecResult CreateCipherStreamSpec(SpecRequest request, CipherDirection direction);

}  // namespace openssl_async
