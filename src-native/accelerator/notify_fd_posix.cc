#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "accelerator/notify_fd.h"

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace openssl_async {

namespace {

// Where this is tells our fd from those of others in the same wait context.
const char kKey = 0;

void* ToCustomData(WaitFd fd) { return reinterpret_cast<void*>(static_cast<intptr_t>(fd)); }
WaitFd FromCustomData(void* data) { return static_cast<WaitFd>(reinterpret_cast<intptr_t>(data)); }

void CloseBoth(ASYNC_WAIT_CTX*, const void*, WaitFd wait_end, void* signal_end) {
  close(wait_end);
  if (FromCustomData(signal_end) != wait_end) close(FromCustomData(signal_end));
}

bool OpenEnds(WaitFd& wait_end, WaitFd& signal_end) {
#ifdef __linux__
  wait_end = signal_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wait_end >= 0;
#else
  int ends[2];
  if (pipe(ends) != 0) return false;
  for (const int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
  wait_end = ends[0];
  signal_end = ends[1];
  return true;
#endif
}

}  // namespace

NotifyFd NotifyFd::Of(ASYNC_WAIT_CTX* context) {
  NotifyFd found;
  void* custom = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(context, &kKey, &found.wait_end_, &custom) == 1) {
    found.signal_end_ = FromCustomData(custom);
    found.valid_ = true;
    return found;
  }
  if (!OpenEnds(found.wait_end_, found.signal_end_)) return found;
  void* signal_end = ToCustomData(found.signal_end_);
  found.valid_ = ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, found.wait_end_, signal_end, CloseBoth) == 1;
  if (!found.valid_) CloseBoth(context, &kKey, found.wait_end_, signal_end);
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
