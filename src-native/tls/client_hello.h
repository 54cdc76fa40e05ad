// Reads a client's first message before there is an SSL: the server's name and the protocols in it choose the context.
// The bytes are the peer's: nothing in them is trusted. Knows nothing of OpenSSL.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace openssl_async {

struct ClientHello {
  std::string server_name;      // empty without one
  std::string protocols;        // the list of ALPN as it was sent, without its length; empty without one
  std::string session_id;       // of a session that the server is to know, as there is no ticket; empty without one
  bool offers_session = false;  // a ticket; whether it is taken, OpenSSL decides
  bool wants_status = false;    // of the server's certificate, by OCSP
};

enum class HelloStatus {
  kIncomplete,  // more bytes are needed
  kComplete,
  kUnreadable,  // not a client hello of TLS, or a broken one: OpenSSL answers it
};

// A longer hello counts as unreadable; the heads of its records count, too.
constexpr size_t kMaxHelloBytes = 64 * 1024;

// `bytes` begin with the connection's first one. `hello` is set when the hello is complete.
HelloStatus ReadClientHello(ByteView bytes, ClientHello* hello);

}  // namespace openssl_async
