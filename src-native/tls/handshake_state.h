// Where OpenSSL is in a handshake. The numbers of the states are not the same in all of its versions, their names are.
#pragma once

#include <openssl/ssl.h>

#include <string_view>

namespace openssl_async {

// A server, before TLS 1.3: its hello is done.
inline bool AwaitsKeyExchange(const SSL* ssl) { return std::string_view(SSL_state_string(ssl)) == "TWSD"; }

// The peer's last message of a handshake has come.
inline bool HasReadFinished(const SSL* ssl) { return std::string_view(SSL_state_string(ssl)) == "TRFIN"; }

}  // namespace openssl_async
