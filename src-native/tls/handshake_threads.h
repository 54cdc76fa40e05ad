// The threads of an environment's handshakes. They start when they are needed.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "tls/handshake_thread.h"

namespace openssl_async {

class HandshakeThreads {
 public:
  static constexpr size_t kMost = 64;

  // --- The event loop's thread
  explicit HandshakeThreads(std::shared_ptr<CompletionQueue> to_loop) : to_loop_(std::move(to_loop)) {}
  // Has as many as are wanted. False when the system gives none at all.
  bool Prepare(size_t wanted);
  // Ends them, and their connections.
  void Stop();
  // Those that accept connections, one for all listeners: accepting costs little.
  HandshakeThread& accepting() { return *threads_[0]; }

  // The plaintext of their pairs.
  const PairTraffic& traffic() const { return commons_.traffic; }
  BufferPool& buffers() { return commons_.buffers; }

  // --- Any thread
  // The one with the least to do of the first `most`.
  HandshakeThread& Choose(size_t most);

 private:
  const std::shared_ptr<CompletionQueue> to_loop_;
  ThreadCommons commons_;
  std::array<std::unique_ptr<HandshakeThread>, kMost> threads_;
  std::atomic<size_t> count_{0};
};

}  // namespace openssl_async
