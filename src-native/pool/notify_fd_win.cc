#include "pool/notify_fd.h"

namespace openssl_async {

namespace {

// The address is the key of our event, and of no other event, in a wait context.
const char kKey = 0;

void CloseEvent(ASYNC_WAIT_CTX*, const void*, WaitFd event, void*) { CloseHandle(event); }

}  // namespace

NotifyFd NotifyFd::Of(ASYNC_WAIT_CTX* context) {
  NotifyFd found;
  void* custom = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(context, &kKey, &found.wait_end_, &custom) != 1) {
    const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (event == nullptr) return found;
    if (ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, event, nullptr, CloseEvent) != 1) {
      CloseHandle(event);
      return found;
    }
    found.wait_end_ = event;
  }
  found.signal_end_ = found.wait_end_;
  found.valid_ = true;
  return found;
}

void NotifyFd::Signal() const { SetEvent(signal_end_); }

void NotifyFd::Clear() const { ResetEvent(wait_end_); }

}  // namespace openssl_async
