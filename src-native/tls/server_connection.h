// The server's side of a connection: it reads the client's hello, may ask JavaScript about it, and begins then.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tls/client_hello.h"
#include "tls/connection.h"
#include "tls/hello_answer.h"
#include "tls/listener.h"
#include "tls/server_settings.h"

namespace openssl_async {

class ServerConnection final : public Connection {
 public:
  ServerConnection(UniqueSocket socket, Admission admission);
  ServerConnection(std::unique_ptr<Transport> transport, Admission admission);
  ~ServerConnection() override { Close(); }

  ServerConnection* server() override { return this; }
  uint32_t listener_id() const override { return listener().id(); }
  const HandshakeTerms& terms() const override { return *settings_; }
  bool claimed() const override { return admission_.claimed(); }
  long verify_result() const override { return shared_key() ? X509_V_OK : Connection::verify_result(); }

  Listener& listener() const { return admission_.listener(); }
  const ServerSettings& settings() const { return *settings_; }
  const ClientHello& hello() const { return hello_; }
  void Claim() { admission_.Claim(); }

  // --- Handshakes beyond ServerSettings::max_handshakes
  // Goes on; false while there is no room.
  bool ComeIn();

  // Before the first turn: JavaScript knows of the client already.
  void SkipAccepted();
  // Goes on after TlsEventKind::kAccepted.
  void Proceed();
  // Goes on after TlsEventKind::kAsking.
  void TakeAnswer(HelloAnswer answer);
  // Instead: tells the client that it is not its fault.
  void Refuse();
  // After TlsEventKind::kAskingKey: the name of the key.
  const std::string& key_identity() const { return answer_.key.identity; }
  // Goes on. Empty: there is no such key.
  void TakeKey(SecretText key);
  // Certificate and key of another context than the one that is chosen. Without effect once the context is.
  void SetIdentity(std::shared_ptr<TlsContext> identity);
  // After TlsEventKind::kNewSessions, and TakeNewSessions(). Nothing is sent before it when there are sessions that
  // users keep; before TLS 1.3 the handshake ends only then.
  void SetSessionsKept() { ReleaseOutput(); }

  // Callbacks of OpenSSL that only servers have
  static int SelectProtocol(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                            unsigned offered_size, void* unused);
  static SSL_SESSION* FindSession(SSL* ssl, const unsigned char* id, int size, int* takes_reference);
  static bool TakesEarlyData(const SSL* ssl);
  // Marks a ticket whose session may bring early data.
  static int MarkTicket(SSL* ssl, void* unused);
  static int AllowEarlyData(SSL* ssl, void* unused);
  static unsigned GiveKey(SSL* ssl, const char* identity, unsigned char* key, unsigned most);

 private:
  static ServerConnection& From(const SSL* ssl) { return static_cast<ServerConnection&>(Connection::From(ssl)); }

  void BeginTurn() override;
  void ReadHello() override;
  bool MayStep() override;
  bool Prepare(SSL* ssl) override;
  int Step(SSL* ssl) override;
  // From here on it waits for its client, who may take long: that keeps nobody else out.
  void OnStep() override { admission_.EndHandshake(); }
  void Complete() override;
  void ReadEarlyData() override;
  RunTime& handshake_time() const override { return signer().handshake_time(hello_.offers_session); }
  std::shared_ptr<InlineBudget> inline_budget() const override { return listener().inline_budget(); }
  bool logs_keys() const override { return settings_->Has(TlsServerFlag::kLogsKeys); }
  bool lets_peer_renegotiate() const override {
    return settings_->Has(TlsServerFlag::kAllowsRenegotiation) && !forbids_renegotiation_;
  }
  bool has_task() const override { return accept_is_due_ || (state() == State::kOpen && !early_data_.empty()); }
  bool awaits_input() const override { return awaits_identity_ || Connection::awaits_input(); }
  void OnNewSession(SSL_SESSION* session) override;
  int OnStatus(SSL* ssl) override;

  bool Asks() const;
  void PrepareEarlyData(SSL* ssl);
  // As SSL_read_early_data(), while there is some and room for it.
  int TakeEarlyData(unsigned char* memory, size_t room, size_t* taken);
  void Choose(const std::shared_ptr<TlsContext>& context);
  bool AsksForKey();
  // Of a handshake of TLS 1.3 that is done: the client has shown that it has the key.
  bool shared_key() const {
    return gave_key_ && SSL_version(ssl()) >= TLS1_3_VERSION && SSL_session_reused(ssl()) == 1;
  }

  Admission admission_;  // left last
  const std::shared_ptr<const ServerSettings> settings_;
  ClientHello hello_;
  HelloAnswer answer_;            // without its context, which is context()
  bool accept_is_due_ = false;    // kAccepted was not told yet
  bool awaits_identity_ = false;  // of a shared key: see AsksForKey()
  bool asked_for_key_ = false;
  bool gave_key_ = false;
  bool forbids_renegotiation_ = false;  // an option of the context's
  bool reads_early_data_ = false;       // before the end of the handshake
  std::string early_data_;              // that the handshake's step has read
};

}  // namespace openssl_async
