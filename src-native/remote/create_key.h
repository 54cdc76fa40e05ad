// Private keys that somebody else holds, made into keys for every operation of OpenSSL.
#pragma once

#include <memory>

#include "keys/key.h"
#include "remote/remote_requests.h"

namespace openssl_async {

// The scope of remote keys: a library context with the provider `remote`, and a query that prefers this provider.
Result<ProviderScope> RemoteScope();

// `spki` is the public part's SubjectPublicKeyInfo, `type` OpenSSL's name or null when unknown.
Result<std::shared_ptr<Key>> CreateRemoteKey(ByteView spki, const char* type,
                                             std::shared_ptr<const RemoteHolder> holder);

}  // namespace openssl_async
