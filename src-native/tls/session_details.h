// What a handshake has agreed on.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/secret_text.h"
#include "tls/pointers.h"

namespace openssl_async {

struct CipherNames {
  std::string name;
  std::string standard_name;
  std::string version;
};

std::string ToDer(X509* certificate);
// Null when the store has none.
X509Pointer IssuerIn(X509_STORE* store, X509* subject);
// The peer's certificate and its issuers, one after the other, as DER; empty without one. Issuers are those that the
// peer has sent, then those that are trusted.
std::vector<std::string> PeerCertificates(SSL* ssl);
// The peer's certificate and its chain, as they were sent.
std::vector<std::string> SentCertificates(SSL* ssl);
// Ours; empty without one.
std::string OwnCertificate(SSL* ssl);
// As libssl numbers it (X509_V_…); -1 when the peer has no certificate. Before TLS 1.3, ciphers for shared keys need
// none.
long VerifyResult(SSL* ssl);
CipherNames CipherOf(SSL* ssl);
// Empty without one.
std::string ProtocolOf(SSL* ssl);
std::string SessionOf(SSL* ssl);
// A session that a user may keep, and give to a later handshake whose client offers its id.
struct NewSession {
  std::string id;
  SecretText der;  // empty for a session that is too large
};
NewSession ToNewSession(SSL_SESSION* session);
// Null for bytes that are no session.
SslSessionPointer ToSession(ByteView der);
std::string TicketOf(SSL* ssl);
// The last message of the handshake, ours or the peer's.
std::string FinishedOf(SSL* ssl, bool is_peers);
std::vector<std::string> SharedSignatureAlgorithms(SSL* ssl);
// The server's key of the key exchange, as clients know it. Empty where there is none.
struct EphemeralKey {
  std::string type;  // DH, ECDH, or TLSGroup for groups whose key exchange is neither, as ML-KEM
  std::string name;  // of ECDH's curve, or of the group
  int bits = 0;      // of DH and ECDH
};
EphemeralKey EphemeralKeyOf(SSL* ssl);
// Empty when OpenSSL refuses. `context` is used where `has_context` says so.
std::string ExportKeyingMaterial(SSL* ssl, size_t size, const std::string& label, const std::string& context,
                                 bool has_context);

}  // namespace openssl_async
