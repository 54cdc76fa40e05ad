// What a side of TLS knows: certificates, keys, trust, versions and ciphers. Immutable once made, but for what it
// measures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_text.h"
#include "keys/key.h"
#include "pool/offload.h"
#include "tls/early_tickets.h"
#include "tls/pointers.h"
#include "tls/ticket_keys.h"
#include "tls/trusted_roots.h"

namespace openssl_async {

struct PemKey {
  SecretText pem;  // PEM or PKCS#8 in DER
  SecretText passphrase;
  bool has_passphrase = false;
};

// A key that somebody else has made, or holds.
struct GivenKey {
  std::shared_ptr<Key> key;
  bool may_pause = false;
  std::string backend;  // that works with it, for the statistics; empty for OpenSSL
};

struct Pfx {
  SecretText der;
  SecretText passphrase;
};

struct ContextOptions {
  std::vector<std::string> certificates;  // PEM: a certificate with its chain
  std::vector<PemKey> keys;
  std::vector<GivenKey> given_keys;
  std::vector<Pfx> pfx;
  std::vector<std::string> authorities;       // PEM
  std::shared_ptr<const TrustedRoots> roots;  // that are trusted, too; null for none
  std::vector<std::string> revocations;       // PEM
  std::string ciphers;                        // of TLS 1.2 and earlier; empty for OpenSSL's
  std::string suites;                         // of TLS 1.3
  bool has_suites = false;
  std::string curves;  // empty for OpenSSL's
  std::string signature_algorithms;
  std::string dh_parameters;  // PEM, or `auto`
  int min_version = 0;
  int max_version = 0;
  uint64_t options = 0;  // SSL_OP_…
  long session_timeout = 0;
  bool allow_partial_chain = false;
  std::vector<int> compressions;  // of certificates, by the numbers of RFC 8879
  SecretText ticket_keys;         // 48 bytes; empty for random ones
};

class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> Create(const ContextOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return context_.get(); }
  TicketKeys& ticket_keys() { return ticket_keys_; }
  EarlyTickets& early_tickets() { return early_tickets_; }
  // Its handshakes run in jobs.
  bool may_pause() const { return may_pause_; }
  // Whose work these wait for.
  const std::vector<std::string>& backends() const { return backends_; }
  // Nobody but this process works with its keys.
  bool is_local() const { return is_local_; }
  // The processor's time of a whole handshake, as a server and as a client.
  RunTime& handshake_time(bool offers_session) { return handshake_times_[offers_session ? 1 : 0]; }
  RunTime& client_handshake_time(bool offers_session) { return client_handshake_times_[offers_session ? 1 : 0]; }
  X509* certificate() const { return SSL_CTX_get0_certificate(context_.get()); }
  // Null when neither the certificate's chain nor the trusted ones have it.
  X509Pointer FindIssuer() const;
  static TlsContext* From(SSL* ssl);

 private:
  TlsContext() = default;
  Result<void> Configure(const ContextOptions& options);

  TicketKeys ticket_keys_;
  EarlyTickets early_tickets_;
  std::vector<GivenKey> given_keys_;
  std::vector<std::string> backends_;
  bool may_pause_ = false;
  bool is_local_ = true;
  RunTime handshake_times_[2];
  RunTime client_handshake_times_[2];
  SslCtxPointer context_;
};

// Why there is no TLS in this process, in one sentence; empty when there is. The rest of the library needs none of its
// functions.
const std::string& WithoutTlsReason();

}  // namespace openssl_async
