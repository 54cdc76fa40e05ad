// Carries a connection's plaintext to and from a socket: this end of a pair, whose other end is a native stream of
// somebody who knows nothing of TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tls/connection.h"
#include "tls/poller.h"
#include "tls/socket.h"

namespace openssl_async {

// Memory that all sinks of a thread use during their turns, and that holds nothing between them.
struct PairBuffers {
  static constexpr size_t kPlaintextBytes = 128 * 1024;
  TransportBuffers transport;
  std::unique_ptr<unsigned char[]> plaintext = std::make_unique<unsigned char[]>(kPlaintextBytes);
};

class PairSink final : private ConnectionEvents {
 public:
  // What each end holds for the other one, about: whoever writes more waits.
  static constexpr int kHeldBytes = 256 * 1024;

  // The connection outlives the sink. Its handshake is done.
  PairSink(Connection& connection, UniqueSocket socket, PairBuffers& buffers);
  PairSink(const PairSink&) = delete;
  PairSink& operator=(const PairSink&) = delete;

  int fd() const { return socket_.get(); }

  // One turn. What is ready, in bits of Interest: the connection's socket, and this end of the pair.
  void Run(uint8_t connection_ready, uint8_t pair_ready);
  // Which readiness of this end matters.
  uint8_t interest() const;
  // The other end is closed, or will be at once: what was written there leaves, and nothing else is waited for.
  void Release() { released_ = true; }
  bool released() const { return released_; }
  // Everything that was written into a released pair has left.
  bool has_left() const { return released_ && input_ended_ && rest_.empty() && !connection_.has_unsent(); }
  // Why the connection has failed.
  std::optional<int32_t> failure() const { return failure_; }
  // The peer has ended without saying so.
  bool truncated() const { return truncated_; }

  // --- Since the last call
  // Whether the connection has told of new sessions.
  bool TakeNewSessions() { return std::exchange(new_sessions_, false); }
  uint64_t TakeBytesRead() { return std::exchange(bytes_read_, 0); }
  uint64_t TakeBytesWritten() { return std::exchange(bytes_written_, 0); }

 private:
  unsigned char* Room(size_t* size) override;
  void OnData(Connection& connection, size_t size) override;
  void OnKeyLog(Connection& /*connection*/, const char* /*line*/) override {}
  void OnEvent(Connection& connection, TlsEventKind kind, int32_t value) override;

  void GiveKept();
  void ReadPair();
  void WriteRest();

  Connection& connection_;
  UniqueSocket socket_;
  PairBuffers& buffers_;
  std::string kept_;  // plaintext that the pair has no room for, of which `given_` bytes have left
  size_t given_ = 0;
  std::string rest_;  // plaintext of the pair that the connection has not taken yet
  std::optional<int32_t> failure_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
  bool drained_ = false;  // in this turn
  bool new_sessions_ = false;
  bool peer_ended_ = false;  // the other end is told when kept_ has left
  bool truncated_ = false;
  bool unread_ = false;       // nobody reads the other end any more
  bool input_ended_ = false;  // nothing follows from the other end
  bool released_ = false;
};

}  // namespace openssl_async
