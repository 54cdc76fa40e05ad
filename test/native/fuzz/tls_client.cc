#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "identity.h"
#include "pattern.h"
#include "require.h"

namespace openssl_async::fuzz {

namespace {

constexpr unsigned char kOffered[] = "\x02h2\x08http/1.1";

SSL_CTX* Context() {
  static const SslCtxPointer context(SSL_CTX_new(TLS_client_method()));
  return context.get();
}

void UseCertificate(SSL* ssl) {
  static const Identity identity = MakeIdentity("client", KeyType::kEc);
  const BioPointer certificate_text(BIO_new_mem_buf(identity.certificate.data(), -1));
  const BioPointer key_text(BIO_new_mem_buf(identity.key.data(), -1));
  const X509Pointer certificate(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr));
  const EvpPkeyPointer key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  SSL_use_certificate(ssl, certificate.get());
  SSL_use_PrivateKey(ssl, key.get());
}

}  // namespace

TlsClient::TlsClient(uint8_t options, SSL_SESSION* resumed) : ssl_(SSL_new(Context())) {
  SSL* const ssl = ssl_.get();
  if ((options & ClientOption::kOnlyTls12) != 0) {
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
  } else if ((options & ClientOption::kOnlyTls13) != 0) {
    SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
  }
  if ((options & ClientOption::kName) != 0) {
    const char* const name = (options & ClientOption::kOtherName) != 0 ? kOtherName : kName;
    SSL_set_tlsext_host_name(ssl, name);
  }
  if ((options & ClientOption::kProtocols) != 0) SSL_set_alpn_protos(ssl, kOffered, sizeof(kOffered) - 1);
  if ((options & ClientOption::kCertificate) != 0) UseCertificate(ssl);
  if ((options & ClientOption::kNoTickets) != 0) SSL_set_options(ssl, SSL_OP_NO_TICKET);
  if (resumed != nullptr) SSL_set_session(ssl, resumed);
  input_ = BIO_new(BIO_s_mem());
  output_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, input_, output_);
  SSL_set_connect_state(ssl);
}

void TlsClient::Advance() {
  ERR_clear_error();
  if (!is_open() && SSL_do_handshake(ssl_.get()) != 1) return;
  unsigned char bytes[4096];
  size_t count = 0;
  while (SSL_read_ex(ssl_.get(), bytes, sizeof(bytes), &count) == 1) {
    Require(PlaintextOfServer().Matches(received_, {bytes, count}), "the client reads the server's plaintext");
    received_ += count;
  }
}

void TlsClient::Write(size_t size) {
  constexpr size_t kMost = 512 * 1024;
  ERR_clear_error();
  if (!is_open() || ended_ || sent_ + size > kMost) return;
  const ByteView plaintext = PlaintextOfClient().At(sent_, std::min(size, Pattern::kPeriod));
  size_t count = 0;
  if (SSL_write_ex(ssl_.get(), plaintext.data, plaintext.size, &count) == 1) sent_ += count;
}

void TlsClient::End() {
  ERR_clear_error();
  if (!is_open()) return;
  SSL_shutdown(ssl_.get());
  ended_ = true;
}

void TlsClient::Renew(bool asks_for_answer) {
  ERR_clear_error();
  if (!is_open() || ended_) return;
  if (SSL_version(ssl_.get()) == TLS1_3_VERSION) {
    SSL_key_update(ssl_.get(), asks_for_answer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
  } else {
    renegotiated_ = true;
    SSL_renegotiate(ssl_.get());
  }
  SSL_do_handshake(ssl_.get());
}

void TlsClient::Receive(ByteView ciphertext) {
  BIO_write(input_, ciphertext.data, static_cast<int>(ciphertext.size));
  Advance();
}

std::string TlsClient::TakeOutput() {
  std::string output(BIO_ctrl_pending(output_), '\0');
  if (!output.empty()) BIO_read(output_, output.data(), static_cast<int>(output.size()));
  return output;
}

}  // namespace openssl_async::fuzz
