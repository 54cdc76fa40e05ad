// What the user of a server says to a client's hello.
#pragma once

#include <memory>
#include <string>

#include "tls/context.h"
#include "tls/pointers.h"
#include "tls/shared_key.h"

namespace openssl_async {

struct HelloAnswer {
  std::shared_ptr<TlsContext> context;  // null: the settings choose
  bool chose_protocol = false;
  std::string protocol;       // empty for none, which ends the handshake when the server was asked for it
  SslSessionPointer session;  // the one with the hello's session id; null for none
  std::string status;         // of the certificate, an OCSP response; empty for none
  SharedKey key;              // for one of the hello's identities
};

}  // namespace openssl_async
