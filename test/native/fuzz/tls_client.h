// libssl's own client, over memory.
#pragma once

#include <string>

#include "base/bytes.h"
#include "tls/pointers.h"

namespace openssl_async::fuzz {

using SslSessionPointer = DeleteFnPtr<SSL_SESSION, SSL_SESSION_free>;

// Bits of what a client offers.
struct ClientOption {
  enum : uint8_t {
    kOnlyTls12 = 1,
    kOnlyTls13 = 2,
    kName = 4,
    kProtocols = 8,
    kCertificate = 16,
    kOtherName = 32,
    kNoTickets = 64,
  };
};

class TlsClient {
 public:
  static constexpr const char* kName = "ec.test";
  static constexpr const char* kOtherName = "rsa.test";

  TlsClient(uint8_t options, SSL_SESSION* resumed);

  SSL* ssl() const { return ssl_.get(); }
  // Bytes of plaintext that went in.
  size_t sent() const { return sent_; }
  // Bytes of plaintext that came; all of them were checked.
  size_t received() const { return received_; }
  bool ended() const { return ended_; }
  bool renegotiated() const { return renegotiated_; }

  // Shakes hands or reads, as far as that goes.
  void Advance();
  void Write(size_t size);
  // Tells the end.
  void End();
  // New keys of TLS 1.3, or a new handshake of TLS 1.2.
  void Renew(bool asks_for_answer);
  void Receive(ByteView ciphertext);
  std::string TakeOutput();

 private:
  bool is_open() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  SslPointer ssl_;
  BIO* input_;   // the SSL's
  BIO* output_;  // the SSL's
  size_t sent_ = 0;
  size_t received_ = 0;
  bool ended_ = false;
  bool renegotiated_ = false;
};

}  // namespace openssl_async::fuzz
