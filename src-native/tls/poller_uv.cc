// Systems without epoll: one uv_poll handle for each socket, and one uv_check handle that ends the batch.
#include "tls/poller.h"

#ifndef OPENSSL_ASYNC_TLS_EPOLL

#include <utility>

#include "base/memory.h"

namespace openssl_async {

struct Poller::Watched {
  Poller* poller = nullptr;
  uint32_t token = 0;
  int events = 0;
  UvHandlePointer<uv_poll_t> handle;
};

Poller::Poller(uv_loop_t* loop, OpenHandles& open, Delegate& delegate, int* error)
    : delegate_(delegate), loop_(loop), open_(open) {
  check_ = OpenHandle<uv_check_t>(open, this, error, [&](uv_check_t* handle) { return uv_check_init(loop, handle); });
  if (check_ == nullptr) return;
  *error = uv_check_start(check_.get(), [](uv_check_t* handle) {
    auto& self = *static_cast<Poller*>(handle->data);
    if (!std::exchange(self.told_, false)) return;
    OrDieOfMemory([&] { self.delegate_.OnAllTold(); });
  });
}

Poller::~Poller() { watched_.clear(); }

void Poller::Forget(int fd) { watched_.erase(fd); }

int Poller::Watch(int fd, uint32_t token, uint8_t from, uint8_t to) {
  if (from == to) return 0;
  if (to == Interest::kNone) {
    Forget(fd);
    return 0;
  }
  std::unique_ptr<Watched>& watched = watched_[fd];
  if (watched == nullptr) {
    int error = 0;
    auto opened = std::make_unique<Watched>();
    opened->poller = this;
    opened->handle = OpenHandle<uv_poll_t>(open_, opened.get(), &error,
                                           [&](uv_poll_t* handle) { return uv_poll_init(loop_, handle, fd); });
    if (opened->handle == nullptr) {
      watched_.erase(fd);
      return error;
    }
    watched = std::move(opened);
  }
  watched->token = token;
  watched->events = 0;
  if ((to & Interest::kRead) != 0) watched->events |= UV_READABLE;
  if ((to & Interest::kWrite) != 0) watched->events |= UV_WRITABLE;
  if ((to & Interest::kHangUp) != 0) watched->events |= UV_DISCONNECT;
  return uv_poll_start(watched->handle.get(), watched->events, &Poller::OnPoll);
}

void Poller::OnPoll(uv_poll_t* handle, int status, int ready) {
  const auto& found = *static_cast<Watched*>(handle->data);
  Poller& self = *found.poller;
  const uint32_t token = found.token;
  const bool broken = status != 0;
  // libuv has stopped the handle of a socket that is broken. Bytes that came before are read first, and it is told
  // again.
  if (broken) uv_poll_start(handle, found.events, &Poller::OnPoll);
  self.told_ = true;
  OrDieOfMemory([&] {
    uint8_t told = 0;
    if (broken) told = Interest::kRead | Interest::kWrite | Interest::kHangUp;
    if ((ready & UV_READABLE) != 0) told |= Interest::kRead;
    if ((ready & UV_DISCONNECT) != 0) told |= Interest::kRead | Interest::kHangUp;
    if ((ready & UV_WRITABLE) != 0) told |= Interest::kWrite;
    self.delegate_.OnReady(token, told);
  });
}

}  // namespace openssl_async

#endif
