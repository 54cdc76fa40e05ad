#include "tls/server_connection.h"

#include <utility>

#include "tls/handshake_state.h"
#include "tls/socket_transport.h"

namespace openssl_async {

namespace {

bool SharesKey(const SSL_CIPHER* cipher) {
  const int exchange = cipher == nullptr ? NID_undef : SSL_CIPHER_get_kx_nid(cipher);
  return exchange == NID_kx_psk || exchange == NID_kx_ecdhe_psk || exchange == NID_kx_dhe_psk ||
         exchange == NID_kx_rsa_psk;
}

}  // namespace

ServerConnection::ServerConnection(UniqueSocket socket, Admission admission)
    : ServerConnection(std::make_unique<SocketTransport>(std::move(socket)), std::move(admission)) {}

ServerConnection::ServerConnection(std::unique_ptr<Transport> transport, Admission admission)
    : Connection(std::move(transport)), admission_(std::move(admission)), settings_(listener().settings()) {
  if (settings_->Has(TlsServerFlag::kTraces)) Trace();
  if (!settings_->Has(TlsServerFlag::kTellsConnections)) return;
  set_state(State::kAccepted);
  accept_is_due_ = true;
}

void ServerConnection::BeginTurn() {
  if (std::exchange(accept_is_due_, false)) Tell(TlsEventKind::kAccepted);
}

// --- The client's hello

void ServerConnection::ReadHello() {
  set_input_is_new(false);
  const HelloStatus status = ReadClientHello(transport().input(), &hello_);
  if (status != HelloStatus::kIncomplete && !admission_.BeginHandshake(settings_->max_handshakes)) {
    set_state(State::kWaiting);
    return;
  }
  switch (status) {
    case HelloStatus::kIncomplete:
      if (transport().ended()) Fail(static_cast<int32_t>(TlsFailure::kHandshakeEnded));
      return;
    case HelloStatus::kComplete:
      if (!Asks()) break;
      set_state(State::kAsking);
      Tell(TlsEventKind::kAsking);
      return;
    case HelloStatus::kUnreadable:
      Choose(settings_->context);
      return;
  }
  Choose(settings_->Find(hello_.server_name));
}

bool ServerConnection::Asks() const {
  return settings_->Has(TlsServerFlag::kAsks) ||
         (settings_->Has(TlsServerFlag::kFindsSessions) && !hello_.session_id.empty()) ||
         (settings_->Has(TlsServerFlag::kGivesStatus) && hello_.wants_status) ||
         (settings_->Has(TlsServerFlag::kSharesKeys) && !hello_.key_identities.empty());
}

bool ServerConnection::ComeIn() {
  if (!admission_.BeginHandshake(settings_->max_handshakes)) return false;
  set_state(State::kHello);
  set_input_is_new(true);
  return true;
}

void ServerConnection::SkipAccepted() {
  accept_is_due_ = false;
  Proceed();
}

void ServerConnection::Proceed() {
  if (state() != State::kAccepted) return;
  set_state(State::kHello);
  set_input_is_new(transport().input().size > 0);
}

void ServerConnection::TakeAnswer(HelloAnswer answer) {
  if (state() != State::kAsking) return;
  answer_ = std::move(answer);
  const std::shared_ptr<TlsContext> chosen = std::exchange(answer_.context, nullptr);
  Choose(chosen != nullptr ? chosen : settings_->Find(hello_.server_name));
}

// Nothing is encrypted yet. Without an SSL no version is agreed on, and OpenSSL's clients take that of TLS 1.2.
void ServerConnection::Refuse() {
  if (state() != State::kAsking && state() != State::kAskingKey) return;
  const auto version = static_cast<unsigned>(ssl() == nullptr ? TLS1_2_VERSION : SSL_version(ssl()));
  const unsigned char alert[] = {SSL3_RT_ALERT,
                                 static_cast<unsigned char>(version >> 8),
                                 static_cast<unsigned char>(version & 0xff),
                                 0,
                                 2,
                                 SSL3_AL_FATAL,
                                 SSL_AD_INTERNAL_ERROR};
  transport().Send({alert, sizeof(alert)});
  if (transport().memory() == nullptr) transport().Flush();  // an error is that of a client that has gone
}

void ServerConnection::SetIdentity(std::shared_ptr<TlsContext> identity) {
  if (state() <= State::kAsking) set_identity(std::move(identity));
}

void ServerConnection::Choose(const std::shared_ptr<TlsContext>& context) {
  set_state(State::kHandshaking);
  set_context(context);
}

// --- Keys that both sides have

// Before TLS 1.3, the client names its key in the middle of the handshake. OpenSSL would ask for the key in a step,
// where nobody can wait for the answer: so the message is read before.
bool ServerConnection::AsksForKey() {
  if (ssl() == nullptr || asked_for_key_ || !settings_->Has(TlsServerFlag::kSharesKeys)) return false;
  if (!AwaitsKeyExchange(ssl()) || !SharesKey(SSL_get_pending_cipher(ssl()))) return false;
  set_input_is_new(false);
  const HelloStatus status = ReadKeyIdentity(transport().input(), &answer_.key.identity);
  awaits_identity_ = status == HelloStatus::kIncomplete && !transport().ended();
  if (awaits_identity_) return true;
  asked_for_key_ = true;
  if (status != HelloStatus::kComplete) return false;
  set_state(State::kAskingKey);
  Tell(TlsEventKind::kAskingKey);
  return true;
}

void ServerConnection::TakeKey(SecretText key) {
  if (state() != State::kAskingKey) return;
  answer_.key.bytes = std::move(key);
  set_state(State::kHandshaking);
}

// --- The handshake

bool ServerConnection::MayStep() {
  if (ssl() == nullptr && settings_->key_hint.size() > kMaxKeyIdentityBytes) {
    Fail(static_cast<int32_t>(TlsFailure::kKeyHint));
    return false;
  }
  return !AsksForKey();
}

void ServerConnection::Complete() {
  if (new_sessions().empty() || SSL_version(ssl()) >= TLS1_3_VERSION) return Open();
  set_state(State::kKeeping);
  Tell(TlsEventKind::kNewSessions);
}

}  // namespace openssl_async
