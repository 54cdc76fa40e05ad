#include "tls/listener.h"

#include <uv.h>

#include <algorithm>

namespace openssl_async {

void Listener::SetSettings(std::shared_ptr<const ServerSettings> settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  settings_ = std::move(settings);
}

std::shared_ptr<const ServerSettings> Listener::settings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return settings_;
}

void Listener::Start(UniqueSocket socket) {
  const std::lock_guard<std::mutex> lock(mutex_);
  socket_ = std::move(socket);
  stopped_ = false;
  idle_is_due_ = false;
}

void Listener::SetStopped() {
  // In this order: a connection that goes after the second line sees the first.
  stopped_ = true;
  idle_is_due_ = pending_ > 0;
}

int Listener::Accept() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return socket_.valid() ? AcceptSocket(socket_.get()) : UV_EBADF;
}

size_t Listener::pending() const { return std::max<size_t>(pending_, idle_is_due_ ? 1 : 0); }

void Listener::Leave(bool is_pending) {
  --live_;
  if (is_pending && --pending_ == 0 && stopped_) on_idle_();
}

bool Admission::BeginHandshake(size_t most) {
  if (handshakes_) return true;
  if (listener_->handshakes_.fetch_add(1) >= most) {
    --listener_->handshakes_;
    return false;
  }
  handshakes_ = true;
  return true;
}

void Admission::EndHandshake() {
  if (std::exchange(handshakes_, false)) --listener_->handshakes_;
}

void Admission::Claim() {
  if (std::exchange(claimed_, true)) return;
  if (--listener_->pending_ == 0 && listener_->stopped_) listener_->on_idle_();
}

}  // namespace openssl_async
