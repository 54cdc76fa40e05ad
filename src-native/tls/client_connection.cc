#include "tls/client_connection.h"

#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <utility>

#include "openssl/version.h"
#include "tls/socket_transport.h"

namespace openssl_async {

namespace {

// A list of ALPN, each protocol behind its length.
bool IsOffered(const std::string& protocols, const std::string& protocol) {
  for (size_t at = 0; at < protocols.size(); at += 1 + static_cast<unsigned char>(protocols[at])) {
    if (protocols.compare(at + 1, static_cast<unsigned char>(protocols[at]), protocol) == 0) return true;
  }
  return false;
}

// Of the same name and protocol as the connection.
bool IsForSame(const SSL_SESSION* session, const ClientSettings& settings) {
  const char* const name = SSL_SESSION_get0_hostname(session);
  if (name != nullptr && settings.server_name != name) return false;
  const unsigned char* protocol = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_alpn_selected(session, &protocol, &size);
  return size == 0 || IsOffered(settings.protocols, {reinterpret_cast<const char*>(protocol), size});
}

// The session's server was verified when it was made, if somebody cared: early data leaves before this connection's is.
bool IsWelcome(const SSL* ssl, const ClientSettings& settings) {
  return !settings.Has(TlsClientFlag::kMustTrust) || SSL_get_verify_result(ssl) == X509_V_OK;
}

// When the server gave it; in the future where OpenSSL does not say.
time_t TimeOf(const SSL_SESSION* session) {
  const OptionalSymbols& symbols = GetOptionalSymbols();
  if (symbols.ssl_session_get_time_ex != nullptr) return symbols.ssl_session_get_time_ex(session);
  if (symbols.ssl_session_get_time != nullptr) return symbols.ssl_session_get_time(session);
  return std::numeric_limits<time_t>::max();
}

// By OpenSSL's clock: that of time() may be some milliseconds behind it, and the session be of a second to come.
time_t Now() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

// With a session that OpenSSL would not offer, or not with early data, the handshake would fail.
bool MayBringEarlyData(SSL* ssl, const ClientSettings& settings) {
  SSL_SESSION* const session = SSL_get_session(ssl);
  const size_t size = settings.early_data.get().size();
  if (size == 0 || size > SSL_SESSION_get_max_early_data(session) || !IsForSame(session, settings)) return false;
  if (!IsWelcome(ssl, settings)) return false;
  const long most_version = SSL_get_max_proto_version(ssl);
  if (most_version != 0 && most_version < TLS1_3_VERSION) return false;
  const auto age = static_cast<uint64_t>(Now() - TimeOf(session));
  return SSL_SESSION_is_resumable(session) == 1 && age < SSL_SESSION_get_ticket_lifetime_hint(session);
}

}  // namespace

ClientConnection::ClientConnection(UniqueSocket socket, ClientSettings settings)
    : ClientConnection(std::make_unique<SocketTransport>(std::move(socket)), std::move(settings)) {}

ClientConnection::ClientConnection(std::unique_ptr<Transport> transport, ClientSettings settings)
    : Connection(std::move(transport)), settings_(std::move(settings)) {
  set_context(settings_.context);
  set_state(State::kHandshaking);
  if (settings_.Has(TlsClientFlag::kTraces)) Trace();
  if (logs_keys()) SSL_CTX_set_keylog_callback(settings_.context->get(), &Connection::LogKey);
}

// Of signature algorithms for our certificate, the server's order counts.
bool ClientConnection::Prepare(SSL* ssl) {
  SSL_set_connect_state(ssl);
  SSL_set_verify(ssl, SSL_VERIFY_NONE, &AcceptAnyCertificate);
  SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_set_post_handshake_auth(ssl, settings_.Has(TlsClientFlag::kAuthenticatesLater) ? 1 : 0);
  if (settings_.roots != nullptr && SSL_set1_verify_cert_store(ssl, settings_.roots->store()) != 1) return false;
  if (!settings_.server_name.empty() && SSL_set_tlsext_host_name(ssl, settings_.server_name.c_str()) != 1) return false;
  const std::string& protocols = settings_.protocols;
  if (!protocols.empty() && SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                                                static_cast<unsigned>(protocols.size())) != 0) {
    return false;
  }
  if (settings_.Has(TlsClientFlag::kRequestsStatus) && SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) != 1) {
    return false;
  }
  if (!settings_.key.identity.empty()) SSL_set_psk_client_callback(ssl, &ClientConnection::GiveKey);
  // A session of another version is none.
  if (settings_.session == nullptr) return true;
  if (SSL_set_session(ssl, settings_.session.get()) != 1) {
    ERR_clear_error();
  } else {
    sends_early_data_ = MayBringEarlyData(ssl, settings_);
  }
  return true;
}

int ClientConnection::Step(SSL* ssl) {
  if (std::exchange(sends_early_data_, false)) {
    const std::string& bytes = settings_.early_data.get();
    size_t sent = 0;
    // All at once: the transport takes whatever there is.
    if (const int result = SSL_write_early_data(ssl, bytes.data(), bytes.size(), &sent); result != 1) return result;
  }
  return SSL_do_handshake(ssl);
}

// A server that is not welcome does not learn that the handshake was done, nor, with TLS 1.3, who the client is.
void ClientConnection::Complete() {
  HoldOutput();
  if (status_.has_value()) Tell(TlsEventKind::kStatus);
  Open();
  TellSessions();
}

// A shared key of TLS 1.3 looks like a session, which was verified when it was made.
long ClientConnection::verify_result() const {
  constexpr long kNoCertificate = -1;
  const long result = Connection::verify_result();
  const bool is_resumed = SSL_version(ssl()) == TLS1_3_VERSION && SSL_session_reused(ssl()) == 1;
  return result == kNoCertificate && is_resumed ? X509_V_OK : result;
}

RunTime& ClientConnection::handshake_time() const {
  return settings_.context->client_handshake_time(settings_.session != nullptr);
}

// --- What OpenSSL asks and tells in the middle of a step, on the thread of the step or in its job

void ClientConnection::OnNewSession(SSL_SESSION* session) {
  NewSession made = ToNewSession(session);
  if (!made.der.get().empty()) new_sessions().push_back(std::move(made));
}

// A handshake with a session tells of none.
void ClientConnection::TellSessions() {
  if (!new_sessions().empty() && state() == State::kOpen) Tell(TlsEventKind::kNewSessions);
}

int ClientConnection::OnStatus(SSL* ssl) {
  constexpr int kAccepted = 1;
  const unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(ssl, &response);
  status_.emplace();
  if (response != nullptr && size > 0) {
    status_->assign(reinterpret_cast<const char*>(response), static_cast<size_t>(size));
  }
  return kAccepted;
}

// Asked before the hello by OpenSSL with TLS 1.3, and when the server has named its hint with earlier versions.
unsigned ClientConnection::GiveKey(SSL* ssl, const char*, char* identity, unsigned identity_size, unsigned char* key,
                                   unsigned key_size) {
  const SharedKey& given = From(ssl).settings_.key;
  const std::string& bytes = given.bytes.get();
  if (bytes.size() > key_size || given.identity.size() >= identity_size) return 0;
  std::copy(given.identity.begin(), given.identity.end(), identity);
  identity[given.identity.size()] = '\0';
  std::copy(bytes.begin(), bytes.end(), key);
  return static_cast<unsigned>(bytes.size());
}

}  // namespace openssl_async
