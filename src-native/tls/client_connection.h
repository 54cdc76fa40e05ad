// The client's side of a connection: it begins with the handshake, and tells of the sessions that the server gives.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tls/client_settings.h"
#include "tls/connection.h"

namespace openssl_async {

class ClientConnection final : public Connection {
 public:
  // The socket is connected.
  ClientConnection(UniqueSocket socket, ClientSettings settings);
  ClientConnection(std::unique_ptr<Transport> transport, ClientSettings settings);
  ~ClientConnection() override { Close(); }

  ClientConnection* client() override { return this; }
  const HandshakeTerms& terms() const override { return settings_; }
  long verify_result() const override;

  // After TlsEventKind::kSecure: the server is welcome, and gets the handshake's last message.
  void SetWelcome() { SendHeld(); }
  // After TlsEventKind::kStatus: the server's answer for its certificate; empty when it gave none.
  const std::string& status() const { return *status_; }

 private:
  static ClientConnection& From(const SSL* ssl) { return static_cast<ClientConnection&>(Connection::From(ssl)); }
  static unsigned GiveKey(SSL* ssl, const char* hint, char* identity, unsigned identity_size, unsigned char* key,
                          unsigned key_size);

  bool Prepare(SSL* ssl) override;
  int Step(SSL* ssl) override;
  void Complete() override;
  void TellBesides() override { TellSessions(); }
  RunTime& handshake_time() const override;
  std::shared_ptr<InlineBudget> inline_budget() const override { return settings_.inline_budget; }
  bool logs_keys() const override { return settings_.Has(TlsClientFlag::kLogsKeys); }
  // The first step: nothing comes before it.
  bool has_task() const override { return state() == State::kHandshaking && ssl() == nullptr; }
  void OnNewSession(SSL_SESSION* session) override;
  int OnStatus(SSL* ssl) override;

  void TellSessions();

  const ClientSettings settings_;
  std::optional<std::string> status_;
  bool sends_early_data_ = false;
};

}  // namespace openssl_async
