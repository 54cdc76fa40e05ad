#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "pool/notify_fd.h"

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace openssl_async {

namespace {

// The address is the key of our fd, and of no other fd, in a wait context.
const char kKey = 0;

// Owned by our fd's entry in a wait context. On Linux both ends are one eventfd.
struct Ends {
  ~Ends() {
    if (wait >= 0) close(wait);
    if (signal >= 0 && signal != wait) close(signal);
  }
  WaitFd wait = -1;
  WaitFd signal = -1;
};

bool Open(Ends& ends) {
#ifdef __linux__
  ends.wait = ends.signal = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return ends.wait >= 0;
#else
  int both[2];
  if (pipe(both) != 0) return false;
  for (const int end : both) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  ends.wait = both[0];
  ends.signal = both[1];
  return true;
#endif
}

void CloseEnds(ASYNC_WAIT_CTX*, const void*, WaitFd, void* ends) { delete static_cast<Ends*>(ends); }

}  // namespace

NotifyFd NotifyFd::Of(ASYNC_WAIT_CTX* context) {
  NotifyFd found;
  void* custom = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(context, &kKey, &found.wait_end_, &custom) != 1) {
    auto ends = std::make_unique<Ends>();
    if (!Open(*ends) || ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, ends->wait, ends.get(), CloseEnds) != 1)
      return found;
    found.wait_end_ = ends->wait;
    custom = ends.release();
  }
  found.signal_end_ = static_cast<Ends*>(custom)->signal;
  found.valid_ = true;
  return found;
}

void NotifyFd::Signal() const {
  const uint64_t one = 1;
#ifdef __linux__
  constexpr size_t kBytes = sizeof(one);
#else
  constexpr size_t kBytes = 1;
#endif
  while (write(signal_end_, &one, kBytes) < 0 && errno == EINTR) {
  }
}

void NotifyFd::Clear() const {
  uint64_t value = 0;
#ifdef __linux__
  constexpr size_t kBytes = sizeof(value);
#else
  constexpr size_t kBytes = 1;
#endif
  while (read(wait_end_, &value, kBytes) < 0 && errno == EINTR) {
  }
}

}  // namespace openssl_async
