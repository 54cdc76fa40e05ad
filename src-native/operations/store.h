// Keys that a URI names: in a file, a token, or wherever a provider has a store.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [URI]; numbers: [1 for a private key].
// Inputs of a call: the answer to the store's question for a PIN or a passphrase, if there is one. Outputs:
// SubjectPublicKeyInfo; PKCS#8 of a private key that its store gives away. The key itself: TakeKey().
// Fails with ERR_ASYNC_STORE_PROMPT and the store's question when there is no answer to it.
SpecResult CreateStoreSpec(SpecRequest request);

}  // namespace openssl_async
