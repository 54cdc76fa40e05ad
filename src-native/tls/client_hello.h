// Reads a client's messages before OpenSSL does: the first one, whose names and protocols choose the context, and the
// one that names a key which both sides share. The bytes are the peer's: nothing in them is trusted. Knows nothing of
// OpenSSL.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace openssl_async {

struct ClientHello {
  std::string server_name;      // empty without one
  std::string protocols;        // the list of ALPN as it was sent, without its length; empty without one
  std::string session_id;       // of a session that the server is to know, as there is no ticket; empty without one
  bool offers_session = false;  // a ticket; whether it is taken, OpenSSL decides
  bool offers_early_data = false;
  bool wants_status = false;  // of the server's certificate, by OCSP
  // Of TLS 1.3: names of keys that both sides share, the client's favourite first, and no more than kMostKeyIdentities.
  // Tickets are among them.
  std::vector<std::string> key_identities;
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

// Each of them is asked about: a hello has room for thousands.
constexpr size_t kMostKeyIdentities = 8;

// The longest name of a shared key that OpenSSL takes.
constexpr size_t kMaxKeyIdentityBytes = 256;

// Before TLS 1.3: reads the client's second message, where a shared key was agreed on. `identity` is set when the
// message is complete.
HelloStatus ReadKeyIdentity(ByteView bytes, std::string* identity);

}  // namespace openssl_async
