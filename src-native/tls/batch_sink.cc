#include "tls/batch_sink.h"

#include <cstring>

namespace openssl_async {

namespace {

// A turn of a connection tells at most: a drain, the lines of a handshake's key log, its end, plaintext and its end.
constexpr size_t kMostEventsOfTurn = 24;
constexpr size_t kMostKeyLogBytes = 8 * 1024;
constexpr size_t kMostEventsBesideKeyLog = 8;

void CountEarlyData(const Connection& connection, HandshakeMetrics& side) {
  const int status = SSL_get_early_data_status(connection.ssl());
  if (status == SSL_EARLY_DATA_ACCEPTED) ++side.early_accepted;
  if (status == SSL_EARLY_DATA_REJECTED) ++side.early_refused;
}

// Of a handshake that fails: whoever replays a hello cannot end its handshake. A job may still use the connection.
bool FailsBehindRefused(const Connection& connection) {
  if (connection.ssl() == nullptr || connection.is_in_job() || connection.handshake_ns() != 0) return false;
  return SSL_get_early_data_status(connection.ssl()) == SSL_EARLY_DATA_REJECTED;
}

}  // namespace

bool BatchSink::Prepare() {
  if (HasRoom()) return true;
  if (telling_) return false;
  Deliver();
  return HasRoom();
}

bool BatchSink::HasRoom() {
  if (telling_) return false;
  if (count_ == 0) {
    memory_ = find_();
    used_ = 0;
  }
  return memory_.words_count >= (count_ + kMostEventsOfTurn) * kWordsPerTlsEvent &&
         memory_.slab_size >= used_ + Connection::kTurnBytes + kMostKeyLogBytes;
}

void BatchSink::Deliver() {
  if (telling_ || count_ == 0) return;
  telling_ = true;
  tell_(count_);
  telling_ = false;
  count_ = 0;
  used_ = 0;
}

void BatchSink::Add(TlsEventKind kind, uint32_t id, uint32_t listener, int32_t value, size_t offset, size_t size) {
  int32_t* const words = memory_.words + count_++ * kWordsPerTlsEvent;
  words[TlsEventWord::kKind] = static_cast<int32_t>(kind);
  words[TlsEventWord::kId] = static_cast<int32_t>(id);
  words[TlsEventWord::kListener] = static_cast<int32_t>(listener);
  words[TlsEventWord::kValue] = value;
  words[TlsEventWord::kOffset] = static_cast<int32_t>(offset);
  words[TlsEventWord::kSize] = static_cast<int32_t>(size);
}

void BatchSink::OnEvent(Connection& connection, TlsEventKind kind, int32_t value) {
  Add(kind, connection.id(), connection.listener_id(), value);
  if (kind == TlsEventKind::kSecure || kind == TlsEventKind::kCompleted) {
    HandshakeMetrics& side = connection.client() == nullptr ? metrics_ : metrics_.clients;
    if (kind == TlsEventKind::kSecure) CountEarlyData(connection, side);
    if (value != 0) return;
    side.handshakes[static_cast<size_t>(connection.handshake_place())].Record(connection.handshake_ns());
    if (SSL_session_reused(connection.ssl()) == 1) ++side.resumed;
  } else if (kind == TlsEventKind::kFailed) {
    ++metrics_.failed;
    if (connection.client() == nullptr && FailsBehindRefused(connection)) ++metrics_.early_refused;
  } else if (kind == TlsEventKind::kAsking) {
    ++metrics_.questions;
  }
}

unsigned char* BatchSink::Room(size_t* size) {
  *size = memory_.slab_size - used_;
  return memory_.slab + used_;
}

void BatchSink::AddData(uint32_t id, ByteView bytes) {
  memcpy(memory_.slab + used_, bytes.data, bytes.size);
  Add(TlsEventKind::kData, id, 0, 0, used_, bytes.size);
  used_ += bytes.size;
  metrics_.bytes_read += bytes.size;
}

void BatchSink::OnData(Connection& connection, size_t size) {
  Add(TlsEventKind::kData, connection.id(), connection.listener_id(), 0, used_, size);
  used_ += size;
  metrics_.bytes_read += size;
}

void BatchSink::OnKeyLog(Connection& connection, const char* line) {
  const size_t size = strlen(line);
  const size_t events_left = memory_.words_count / kWordsPerTlsEvent - count_;
  if (events_left <= kMostEventsBesideKeyLog) return;
  if (size > memory_.slab_size - used_ - Connection::kTurnBytes) return;
  memcpy(memory_.slab + used_, line, size);
  Add(TlsEventKind::kKeyLog, connection.id(), connection.listener_id(), 0, used_, size);
  used_ += size;
}

}  // namespace openssl_async
