// Certificates that sign themselves, for both sides.
#pragma once

#include <memory>
#include <string>

#include "tls/context.h"

namespace openssl_async::fuzz {

struct Identity {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

enum class KeyType { kEc, kRsa };

Identity MakeIdentity(const char* name, KeyType type);
// A server's, for TLS 1.2 and later.
std::shared_ptr<TlsContext> MakeContext(KeyType type);

}  // namespace openssl_async::fuzz
