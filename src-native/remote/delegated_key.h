// A key of a provider's, made into one for all of OpenSSL. Some providers give their keys away to others without the
// private part; whoever does not ask for the provider then finds a key that cannot sign, as libssl does with a TPM's.
#pragma once

#include <memory>

#include "keys/key.h"

namespace openssl_async {

// The new key signs with `key`, in its scope and on the calling thread; it does nothing else. `spki` is the public
// part's SubjectPublicKeyInfo.
Result<std::shared_ptr<Key>> DelegateTo(const std::shared_ptr<Key>& key, ByteView spki);

}  // namespace openssl_async
