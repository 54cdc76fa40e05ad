// Which sockets of a loop are ready. Two implementations: poller_epoll.cc (Linux) and poller_uv.cc.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tls/socket.h"
#include "wakeup/uv_handle.h"

// A build for Linux can use the other implementation, to test it.
#if defined(__linux__) && !defined(OPENSSL_ASYNC_POLL_WITH_UV)
#define OPENSSL_ASYNC_TLS_EPOLL 1
#endif

namespace openssl_async {

// A socket's readiness, and which of it matters: bits.
struct Interest {
  enum : uint8_t {
    kNone = 0,
    kRead = 1,
    kWrite = 2,
    kHangUp = 4,  // told once
  };
};

class Poller {
 public:
  class Delegate {
   public:
    // `token` as it was given to Watch(). Sockets may be watched and forgotten here.
    // `ready` has bits of Interest.
    virtual void OnReady(uint32_t token, uint8_t ready) = 0;
    // Everything that was ready at once has been told.
    virtual void OnAllTold() = 0;

   protected:
    ~Delegate() = default;
  };

  // Unusable, and libuv's code in `error`, when the system refuses.
  Poller(uv_loop_t* loop, OpenHandles& open, Delegate& delegate, int* error);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // A socket that is watched for nothing is not watched at all: even its hang-up is not told. 0, or libuv's code.
  // `from` is the interest of the last call for this socket, or none.
  int Watch(int fd, uint32_t token, uint8_t from, uint8_t to);
  // As Watch() for nothing; on any thread where kForgetsAnywhere says so.
  void Forget(int fd);
#ifdef OPENSSL_ASYNC_TLS_EPOLL
  static constexpr bool kForgetsAnywhere = true;
#else
  static constexpr bool kForgetsAnywhere = false;
#endif

 private:
  Delegate& delegate_;
#ifdef OPENSSL_ASYNC_TLS_EPOLL
  void Collect();

  UniqueSocket epoll_;
  UvHandlePointer<uv_poll_t> handle_;  // closed before epoll_
#else
  struct Watched;
  static void OnPoll(uv_poll_t* handle, int status, int ready);

  uv_loop_t* loop_;
  OpenHandles& open_;
  std::unordered_map<int, std::unique_ptr<Watched>> watched_;
  UvHandlePointer<uv_check_t> check_;
  bool told_ = false;
#endif
};

}  // namespace openssl_async
