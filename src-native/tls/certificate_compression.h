// Certificates that are sent compressed (RFC 8879), by OpenSSL 3.2 and later where it was built with an algorithm.
#pragma once

#include <vector>

#include "tls/pointers.h"

namespace openssl_async {

// The numbers of RFC 8879 that this process's OpenSSL knows: 1 for zlib, 2 for brotli, 3 for zstd. Computed once; any
// thread.
const std::vector<int>& KnownCompressions();

// Offers and takes these, in the order of preference, and keeps the context's certificates compressed with each of
// them. Without any, OpenSSL's own choice, which is all that it knows, does not count. False when OpenSSL refuses.
bool UseCompressions(SSL_CTX* context, const std::vector<int>& algorithms);

}  // namespace openssl_async
