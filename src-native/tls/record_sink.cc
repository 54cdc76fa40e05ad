#include "tls/record_sink.h"

#include <utility>

namespace openssl_async {

RecordSink::RecordSink(Connection& connection, RecordBuffers& buffers, RecordBatch<RecordEvent>& outbox)
    : connection_(connection), buffers_(buffers), outbox_(outbox), paused_(connection.paused()) {
  connection.Enter(connection.id(), TlsPlace::kThread, buffers.transport, *this);
}

void RecordSink::Run(bool readable, bool writable) {
  connection_.Run(readable, writable);
  while (std::exchange(drained_, false)) WriteRest();
  UpdatePause();
}

void RecordSink::Tell(TlsEventKind kind, int32_t value, size_t size) {
  outbox_.messages.push_back({connection_.id(), kind, value, size});
}

// --- From the peer

unsigned char* RecordSink::Room(size_t* size) {
  *size = Connection::kTurnBytes;
  return buffers_.plaintext.get();
}

void RecordSink::OnData(Connection&, size_t size) {
  unread_ += size;
  outbox_.bytes.append(reinterpret_cast<const char*>(buffers_.plaintext.get()), size);
  Tell(TlsEventKind::kData, 0, size);
}

void RecordSink::OnEvent(Connection&, TlsEventKind kind, int32_t value) {
  if (kind == TlsEventKind::kDrained) {
    drained_ = true;
    return;
  }
  if (kind == TlsEventKind::kRenegotiating) unread_ += kUnreadOfHandshake;
  Tell(kind, value);
}

void RecordSink::SetPaused(bool paused) {
  paused_ = paused;
  UpdatePause();
}

void RecordSink::SetRead(size_t size) {
  unread_ -= size;
  UpdatePause();
}

void RecordSink::UpdatePause() { connection_.SetPaused(paused_ || unread_ > kMostUnread); }

// --- To the peer

void RecordSink::Write(ByteView bytes, bool tells) {
  tells_ |= tells;
  if (rest_.empty() && !connection_.has_unsent()) {
    const size_t taken = connection_.Write(bytes);
    bytes = {bytes.data + taken, bytes.size - taken};
  }
  if (bytes.size > 0) rest_.append(reinterpret_cast<const char*>(bytes.data), bytes.size);
  WriteRest();
}

void RecordSink::End() {
  ends_ = true;
  tells_ = true;
  WriteRest();
}

void RecordSink::WriteRest() {
  if (!rest_.empty() && !connection_.has_unsent()) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(rest_.data());
    taken_ += connection_.Write({bytes + taken_, rest_.size() - taken_});
    if (taken_ == rest_.size()) {
      std::string().swap(rest_);
      taken_ = 0;
    }
  }
  if (ends_ && rest_.empty()) connection_.End();
  const size_t left = rest_.size() - taken_;
  const bool is_little = ends_ ? left == 0 && !connection_.has_unsent() : left <= kLittleUnsent;
  if (is_little && std::exchange(tells_, false)) Tell(TlsEventKind::kDrained, 0);
}

}  // namespace openssl_async
