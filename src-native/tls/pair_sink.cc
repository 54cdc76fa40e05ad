#include "tls/pair_sink.h"

#include <uv.h>

#include <algorithm>
#include <utility>

namespace openssl_async {

namespace {

// Pieces of the pair in one turn, so that every connection has its turns.
constexpr int kMostReads = 4;

ByteView ViewOf(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

}  // namespace

PairSink::PairSink(Connection& connection, UniqueSocket socket, PairBuffers& buffers)
    : connection_(connection), socket_(std::move(socket)), buffers_(buffers) {
  connection.Enter(connection.id(), TlsPlace::kThread, buffers.transport, *this);
  connection.SetPaused(false);
}

void PairSink::Run(uint8_t connection_ready, uint8_t pair_ready) {
  if (failure_.has_value()) return;
  if ((pair_ready & Interest::kWrite) != 0) {
    GiveKept();
    connection_.SetPaused(!kept_.empty());
  }
  connection_.Run((connection_ready & Interest::kRead) != 0, (connection_ready & Interest::kWrite) != 0);
  if (std::exchange(drained_, false)) WriteRest();
  if ((pair_ready & Interest::kRead) != 0) ReadPair();
  connection_.SetPaused(!kept_.empty());
}

uint8_t PairSink::interest() const {
  uint8_t wanted = Interest::kNone;
  if (failure_.has_value()) return wanted;
  if (!input_ended_ && rest_.empty() && !connection_.has_unsent()) wanted |= Interest::kRead;
  if (!kept_.empty()) wanted |= Interest::kWrite;
  return wanted;
}

// --- From the peer

unsigned char* PairSink::Room(size_t* size) {
  *size = PairBuffers::kPlaintextBytes;
  return buffers_.plaintext.get();
}

void PairSink::OnData(Connection&, size_t size) {
  bytes_read_ += size;
  const unsigned char* const bytes = buffers_.plaintext.get();
  size_t given = 0;
  if (kept_.empty() && !unread_) {
    const int count = WriteSocket(socket_.get(), bytes, size);
    if (count >= 0) {
      given = static_cast<size_t>(count);
    } else if (count != UV_EAGAIN) {
      unread_ = true;
    }
  }
  if (!unread_) kept_.append(reinterpret_cast<const char*>(bytes) + given, size - given);
}

void PairSink::GiveKept() {
  const int count = kept_.empty() ? 0 : WriteSocket(socket_.get(), kept_.data() + given_, kept_.size() - given_);
  if (count == UV_EAGAIN) return;
  if (count < 0) unread_ = true;
  given_ += static_cast<size_t>(std::max(count, 0));
  if (!unread_ && given_ < kept_.size()) return;
  std::string().swap(kept_);
  given_ = 0;
  if (peer_ended_) EndSocket(socket_.get());
}

void PairSink::OnEvent(Connection&, TlsEventKind kind, int32_t value) {
  if (kind == TlsEventKind::kDrained) {
    drained_ = true;
  } else if (kind == TlsEventKind::kNewSessions) {
    new_sessions_ = true;
  } else if (kind == TlsEventKind::kFailed) {
    failure_ = value;
  } else if (kind == TlsEventKind::kEnd) {
    peer_ended_ = true;
    truncated_ = value != 0;
    if (kept_.empty()) EndSocket(socket_.get());
  }
}

// --- To the peer

void PairSink::ReadPair() {
  unsigned char* const bytes = buffers_.plaintext.get();
  for (int i = 0; i < kMostReads && (interest() & Interest::kRead) != 0; ++i) {
    const int count = ReadSocket(socket_.get(), bytes, PairBuffers::kPlaintextBytes);
    if (count == UV_EAGAIN) return;
    if (count <= 0) {  // an error says that the other end has left bytes unread
      input_ended_ = true;
      connection_.End();
      return;
    }
    const auto size = static_cast<size_t>(count);
    const size_t taken = connection_.Write({bytes, size});
    bytes_written_ += size;
    rest_.assign(reinterpret_cast<const char*>(bytes) + taken, size - taken);
    if (size < PairBuffers::kPlaintextBytes) return;  // another call would find nothing
  }
}

void PairSink::WriteRest() {
  if (!rest_.empty()) rest_.erase(0, connection_.Write(ViewOf(rest_)));
}

}  // namespace openssl_async
