// A connection that one thread works on and another one may look at.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "tls/connection.h"

namespace openssl_async {

struct SharedConnection {
  explicit SharedConnection(std::unique_ptr<Connection> shared) : connection(std::move(shared)) {}

  std::mutex mutex;                        // held during turns, and by a ConnectionView
  std::unique_ptr<Connection> connection;  // null when it has ended
  bool is_wanted = true;                   // otherwise it has no more turns
};

// A connection of the own thread, or one of another thread, which waits meanwhile: for short looks at what the
// handshake has agreed on, and at the socket.
class ConnectionView {
 public:
  explicit ConnectionView(Connection* own) : connection_(own) {}
  explicit ConnectionView(std::shared_ptr<SharedConnection> shared)
      : shared_(std::move(shared)), lock_(shared_->mutex), connection_(shared_->connection.get()) {}

  // Null for a connection that has ended.
  Connection* get() const { return connection_; }
  Connection* operator->() const { return connection_; }
  explicit operator bool() const { return connection_ != nullptr; }

 private:
  std::shared_ptr<SharedConnection> shared_;
  std::unique_lock<std::mutex> lock_;  // unlocked first
  Connection* connection_;
};

}  // namespace openssl_async
