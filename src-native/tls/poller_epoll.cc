// Linux: an epoll instance of our own, which libuv polls as one fd. All that is ready comes in one batch.
#include "tls/poller.h"

#ifdef OPENSSL_ASYNC_TLS_EPOLL

#include <sys/epoll.h>

#include <cerrno>

#include "base/memory.h"

namespace openssl_async {

Poller::Poller(uv_loop_t* loop, OpenHandles& open, Delegate& delegate, int* error) : delegate_(delegate) {
  epoll_ = UniqueSocket(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) {
    *error = -errno;
    return;
  }
  handle_ = OpenHandle<uv_poll_t>(open, this, error,
                                  [&](uv_poll_t* handle) { return uv_poll_init(loop, handle, epoll_.get()); });
  if (handle_ == nullptr) return;
  *error = uv_poll_start(handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    OrDieOfMemory([handle] { static_cast<Poller*>(handle->data)->Collect(); });
  });
}

Poller::~Poller() = default;

int Poller::Watch(int fd, uint32_t token, uint8_t from, uint8_t to) {
  if (from == to) return 0;
  epoll_event event = {};
  if ((to & Interest::kRead) != 0) event.events |= EPOLLIN | EPOLLRDHUP;
  if ((to & Interest::kWrite) != 0) event.events |= EPOLLOUT;
  // The system tells of a hang-up in any case, and would do so for ever.
  if ((to & Interest::kHangUp) != 0) event.events |= EPOLLRDHUP | EPOLLONESHOT;
  event.data.u32 = token;
  const int how = to == Interest::kNone ? EPOLL_CTL_DEL : from == Interest::kNone ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  return epoll_ctl(epoll_.get(), how, fd, &event) == 0 ? 0 : -errno;
}

void Poller::Forget(int fd) {
  epoll_event unused = {};
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
}

void Poller::Collect() {
  constexpr int kMostEvents = 512;
  epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_.get(), events, kMostEvents, 0);
  for (int i = 0; i < count; ++i) {
    const uint32_t ready = events[i].events;
    uint8_t told = 0;
    if ((ready & (EPOLLERR | EPOLLHUP)) != 0) told = Interest::kRead | Interest::kWrite | Interest::kHangUp;
    if ((ready & EPOLLIN) != 0) told |= Interest::kRead;
    if ((ready & EPOLLRDHUP) != 0) told |= Interest::kRead | Interest::kHangUp;
    if ((ready & EPOLLOUT) != 0) told |= Interest::kWrite;
    delegate_.OnReady(events[i].data.u32, told);
  }
  delegate_.OnAllTold();
}

}  // namespace openssl_async

#endif
