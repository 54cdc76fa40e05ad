// Carries a connection's plaintext to and from the event loop, in messages: the connection's records are read and
// written on this thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "tls/connection.h"
#include "tls/record_batch.h"

namespace openssl_async {

// Memory that all sinks of a thread use during their turns, and that holds nothing between them.
struct RecordBuffers {
  TransportBuffers transport;
  std::unique_ptr<unsigned char[]> plaintext = std::make_unique<unsigned char[]>(Connection::kTurnBytes);
};

class RecordSink final : private ConnectionEvents {
 public:
  // Plaintext that the loop has not read; the peer waits when there is more.
  static constexpr size_t kMostUnread = 256 * 1024;
  // A handshake of the peer's counts as so much that the loop has not read: it goes on when the loop was told.
  static constexpr size_t kUnreadOfHandshake = kMostUnread + 1;
  // Plaintext that waits for the peer: the loop is told when less is left.
  static constexpr size_t kLittleUnsent = 64 * 1024;

  // The connection outlives the sink. Its handshake is done. `outbox` takes what it tells.
  RecordSink(Connection& connection, RecordBuffers& buffers, RecordBatch<RecordEvent>& outbox);
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;

  // One turn of the connection.
  void Run(bool readable, bool writable);

  // --- Requests
  void Write(ByteView bytes, bool tells);
  void End();
  void SetPaused(bool paused);
  void SetRead(size_t size);
  void Renegotiate(bool requests, bool rejects) { connection_.RenegotiateAndTell(requests, rejects); }

 private:
  unsigned char* Room(size_t* size) override;
  void OnData(Connection& connection, size_t size) override;
  void OnKeyLog(Connection& /*connection*/, const char* /*line*/) override {}
  void OnEvent(Connection& connection, TlsEventKind kind, int32_t value) override;

  void WriteRest();
  void UpdatePause();
  void Tell(TlsEventKind kind, int32_t value, size_t size = 0);

  Connection& connection_;
  RecordBuffers& buffers_;
  RecordBatch<RecordEvent>& outbox_;
  std::string rest_;  // plaintext that the connection has not taken yet, of which `taken_` bytes are gone
  size_t taken_ = 0;
  size_t unread_ = 0;
  bool paused_;           // by the loop
  bool drained_ = false;  // in this turn
  bool tells_ = false;    // when little is left
  bool ends_ = false;     // after the rest
};

}  // namespace openssl_async
