// Early data of TLS 1.3: what a client sends behind its hello, before the handshake is done.
#include <algorithm>
#include <cstring>

#include "base/memory.h"
#include "tls/server_connection.h"

namespace openssl_async {

// OpenSSL's own protection would have each session in the memory of this process, and other processes resume none:
// ours is EarlyTickets.
void ServerConnection::PrepareEarlyData(SSL* ssl) {
  const uint32_t most = settings_->max_early_data;
  SSL_set_options(ssl, SSL_OP_NO_ANTI_REPLAY);
  SSL_set_max_early_data(ssl, most);
  // Of refused early data, which is skipped: OpenSSL counts it with what encryption adds to each record.
  SSL_set_recv_max_early_data(ssl, static_cast<uint32_t>(std::min(uint64_t{most} + most / 16 + SSL3_RT_MAX_PLAIN_LENGTH,
                                                                  uint64_t{UINT32_MAX})));
  SSL_set_allow_early_data_cb(ssl, &ServerConnection::AllowEarlyData, nullptr);
  reads_early_data_ = hello_.offers_early_data;
}

bool ServerConnection::TakesEarlyData(const SSL* ssl) {
  return From(ssl).settings_->max_early_data > 0 && SSL_version(ssl) >= TLS1_3_VERSION;
}

int ServerConnection::MarkTicket(SSL* ssl, void*) {
  constexpr int kGoOn = 1;
  if (!TakesEarlyData(ssl)) return kGoOn;
  EarlyTickets::Mark mark = {};
  OrDieOfMemory([&] { mark = TlsContext::From(ssl)->early_tickets().Give(); });
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), mark.data(), mark.size());
}

// Asked when the client has shown that the ticket is its own.
int ServerConnection::AllowEarlyData(SSL* ssl, void*) {
  void* mark = nullptr;
  size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(ssl), &mark, &size) != 1) return 0;
  return TlsContext::From(ssl)->early_tickets().Use({static_cast<const unsigned char*>(mark), size}) ? 1 : 0;
}

// Our messages of the handshake come first, and the connection is open then.
int ServerConnection::Step(SSL* ssl) {
  if (!reads_early_data_) return Connection::Step(ssl);
  early_data_.resize(SSL3_RT_MAX_PLAIN_LENGTH);
  size_t size = 0;
  const int result = SSL_read_early_data(ssl, &early_data_[0], early_data_.size(), &size);
  early_data_.resize(result == SSL_READ_EARLY_DATA_SUCCESS ? size : 0);
  if (result == SSL_READ_EARLY_DATA_ERROR && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return result;
  reads_early_data_ = result != SSL_READ_EARLY_DATA_FINISH;
  if (SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_ACCEPTED) {
    return reads_early_data_ ? result : Connection::Step(ssl);
  }
  SetEarly();
  return 1;
}

int ServerConnection::TakeEarlyData(unsigned char* memory, size_t room, size_t* taken) {
  int result = SSL_READ_EARLY_DATA_SUCCESS;
  while (result == SSL_READ_EARLY_DATA_SUCCESS && *taken < room) {
    size_t count = 0;
    result = SSL_read_early_data(ssl(), memory + *taken, room - *taken, &count);
    if (result == SSL_READ_EARLY_DATA_SUCCESS) *taken += count;
  }
  return result;
}

// There is no room on a thread: the event loop goes on.
void ServerConnection::ReadEarlyData() {
  size_t room = 0;
  unsigned char* const memory = events().Room(&room);
  room = std::min(room, kTurnBytes);
  if (room == 0) return;
  size_t taken = early_data_.size();
  if (taken > 0) memcpy(memory, early_data_.data(), taken);
  std::string().swap(early_data_);
  int result = reads_early_data_ ? TakeEarlyData(memory, room, &taken) : int{SSL_READ_EARLY_DATA_FINISH};
  TellData(taken);
  if (result == SSL_READ_EARLY_DATA_SUCCESS) return;
  if (result == SSL_READ_EARLY_DATA_FINISH) {
    reads_early_data_ = false;
    result = Connection::Step(ssl());
    if (result == 1) return EndEarly();
  }
  const int status = SSL_get_error(ssl(), result);
  if (status != SSL_ERROR_WANT_READ && status != SSL_ERROR_ZERO_RETURN) {
    FailOfOpenssl();
  } else if (status == SSL_ERROR_ZERO_RETURN || transport().ended()) {
    Fail(static_cast<int32_t>(TlsFailure::kHandshakeEnded));
  }
}

}  // namespace openssl_async
