// What a server's SSL is told before its first step.
#include <algorithm>
#include <string>

#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// Sessions of one name and one policy of clients' certificates are not resumed under another one.
bool SetSessionContext(SSL* ssl, const ServerSettings& settings, const std::string& server_name) {
  const bool is_named = settings.Find(server_name) != settings.context || settings.Has(TlsServerFlag::kAsks);
  std::string text = settings.session_context;
  text += '\0';
  if (is_named) text += server_name;
  text += '\0';
  if (settings.Has(TlsServerFlag::kRequestsCertificate)) text += 'r';
  if (settings.Has(TlsServerFlag::kRejectsUnauthorized)) text += 'u';
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) != 1) return false;
  return SSL_set_session_id_context(ssl, digest, std::min(size, unsigned{SSL_MAX_SID_CTX_LENGTH})) == 1;
}

// SSL_OP_NO_TX_CERTIFICATE_COMPRESSION of OpenSSL 3.2; nothing before.
constexpr uint64_t kNoCertificateCompression = uint64_t{1} << 32;

bool UseIdentity(SSL* ssl, SSL_CTX* from) {
  X509* const certificate = SSL_CTX_get0_certificate(from);
  EVP_PKEY* const key = SSL_CTX_get0_privatekey(from);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(from, &chain);
  SSL_certs_clear(ssl);
  if (certificate == nullptr || key == nullptr) return true;  // as of a context that has none: no cipher is shared
  return SSL_use_certificate(ssl, certificate) == 1 && SSL_use_PrivateKey(ssl, key) == 1 &&
         (chain == nullptr || SSL_set1_chain(ssl, chain) == 1);
}

// With a callback, libssl expects another certificate to come. Without any, it gives up TLS 1.3 for a curve that
// `sigalgs` has no algorithm for.
int KeepCertificate(SSL*, void*) { return 1; }

}  // namespace

bool ServerConnection::Prepare(SSL* ssl) {
  if (!SetSessionContext(ssl, *settings_, hello_.server_name)) return false;
  if (identity() != nullptr && !UseIdentity(ssl, identity()->get())) return false;
  if (settings_->Has(TlsServerFlag::kRequestsCertificate)) {
    const bool needs = settings_->Has(TlsServerFlag::kRejectsUnauthorized);
    SSL_set_verify(ssl, SSL_VERIFY_PEER | (needs ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), &AcceptAnyCertificate);
  }
  SSL_set_accept_state(ssl);
  SSL_set_cert_cb(ssl, &KeepCertificate, nullptr);
  forbids_renegotiation_ = (SSL_get_options(ssl) & SSL_OP_NO_RENEGOTIATION) != 0;
  SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);  // see LetPeerRenegotiate()
  // The compressed message was made without a status.
  if (!answer_.status.empty()) SSL_set_options(ssl, kNoCertificateCompression);
  if (settings_->max_early_data > 0) PrepareEarlyData(ssl);
  if (!settings_->Has(TlsServerFlag::kSharesKeys)) return true;
  SSL_set_psk_server_callback(ssl, &ServerConnection::GiveKey);
  return settings_->key_hint.empty() || SSL_use_psk_identity_hint(ssl, settings_->key_hint.c_str()) == 1;
}

}  // namespace openssl_async
