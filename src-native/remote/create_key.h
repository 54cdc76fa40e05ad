// Private keys that somebody else holds, as keys that every operation of OpenSSL takes.
#pragma once

#include <memory>

#include "keys/key.h"
#include "remote/remote_requests.h"

namespace openssl_async {

// A library context of the addon's own, with the provider `remote` beside the others, and the query that prefers it.
Result<ProviderScope> RemoteScope();

// `spki`: SubjectPublicKeyInfo of the public part; `type` as OpenSSL calls it, null when it is not known.
Result<std::shared_ptr<Key>> CreateRemoteKey(ByteView spki, const char* type,
                                             std::shared_ptr<const RemoteHolder> holder);

}  // namespace openssl_async
