// A server as its connections know it, on whichever threads they are: the socket that it listens on, its settings and
// the number of its connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "tls/inline_budget.h"
#include "tls/server_settings.h"
#include "tls/socket.h"

namespace openssl_async {

class Listener {
 public:
  // `on_idle` is called on any thread when the last pending connection of a stopped listener goes.
  // `inline_budget`: of the event loop; null for no time there.
  Listener(uint32_t id, std::function<void()> on_idle, std::shared_ptr<InlineBudget> inline_budget = nullptr)
      : id_(id), on_idle_(std::move(on_idle)), inline_budget_(std::move(inline_budget)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint32_t id() const { return id_; }
  const std::shared_ptr<InlineBudget>& inline_budget() const { return inline_budget_; }
  // For later connections.
  void SetSettings(std::shared_ptr<const ServerSettings> settings);
  std::shared_ptr<const ServerSettings> settings() const;

  // --- The socket that is listened on
  void Start(UniqueSocket socket);
  // The socket is closed when this returns. `forget` gets it before.
  template <typename F>
  void Stop(F forget) {
    WithSocket([&](int fd) {
      forget(fd);
      socket_.reset();
    });
    SetStopped();
  }
  // The socket is not closed meanwhile. Without effect when the listener has stopped.
  template <typename F>
  void WithSocket(F use) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (socket_.valid()) use(socket_.get());
  }
  // A new socket, or libuv's code. UV_EBADF for a listener that has stopped.
  int Accept();

  // --- Counts
  // Further connections are closed at once. 0: no limit.
  void SetMaxConnections(size_t most) { max_connections_ = most; }
  bool full() const { return max_connections_ > 0 && live_ >= max_connections_; }
  size_t live() const { return live_; }
  // Connections that nobody has claimed. Not 0 before `on_idle` was called and SetIdle() follows.
  size_t pending() const;
  // The loop has heard of `on_idle`. False when it has nothing to tell: there was no pending connection at Stop().
  bool SetIdle() { return pending_ == 0 && std::exchange(idle_is_due_, false); }

 private:
  friend class Admission;
  void SetStopped();
  void Leave(bool is_pending);

  const uint32_t id_;
  const std::function<void()> on_idle_;
  const std::shared_ptr<InlineBudget> inline_budget_;
  mutable std::mutex mutex_;  // guards the next two
  std::shared_ptr<const ServerSettings> settings_;
  UniqueSocket socket_;
  std::atomic<size_t> max_connections_{0};
  std::atomic<size_t> live_{0};
  std::atomic<size_t> pending_{0};
  std::atomic<size_t> handshakes_{0};
  std::atomic<bool> stopped_{false};
  bool idle_is_due_ = false;  // loop thread only
};

// A connection's place in its listener's counts.
class Admission {
 public:
  explicit Admission(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {
    ++listener_->live_;
    ++listener_->pending_;
  }
  Admission(Admission&& other) noexcept = default;
  Admission& operator=(Admission&& other) = delete;
  ~Admission() {
    if (listener_ == nullptr) return;
    EndHandshake();
    listener_->Leave(!claimed_);
  }

  Listener& listener() const { return *listener_; }
  bool claimed() const { return claimed_; }
  // The connection is pending no more.
  void Claim();
  // From the hello to the answer. False when `most` are under way. Without effect for one that has begun.
  bool BeginHandshake(size_t most);
  void EndHandshake();

 private:
  std::shared_ptr<Listener> listener_;  // null when it was moved elsewhere
  bool claimed_ = false;
  bool handshakes_ = false;
};

}  // namespace openssl_async
