// What the user of a server says to a client's hello.
#pragma once

#include <memory>
#include <string>

#include "base/secret_text.h"
#include "tls/context.h"
#include "tls/pointers.h"

namespace openssl_async {

// A key that both sides have.
struct SharedKey {
  std::string identity;  // empty for no key
  SecretText bytes;
};

struct HelloAnswer {
  std::shared_ptr<TlsContext> context;  // null: the settings choose
  bool chose_protocol = false;
  std::string protocol;       // empty for none, which ends the handshake when the server was asked for it
  SslSessionPointer session;  // the one with the hello's session id; null for none
  std::string status;         // of the certificate, an OCSP response; empty for none
  SharedKey key;              // for one of the hello's identities
};

}  // namespace openssl_async
