// Wait "fds" are waitable HANDLEs on Windows: an event object needs no second end.
#include <windows.h>

#include "wakeup/wait_signal.h"

namespace openssl_async {

Result<std::unique_ptr<WaitSignal>> WaitSignal::Create() {
  HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  if (event == nullptr) return Error{"ERR_SYSTEM_ERROR", "Could not create an event object", {}};
  std::unique_ptr<WaitSignal> signal(new WaitSignal());
  signal->fd_ = event;
  return signal;
}

WaitSignal::~WaitSignal() {
  if (fd_ != OSSL_BAD_ASYNC_FD) CloseHandle(fd_);
}

void WaitSignal::Wake() { SetEvent(fd_); }

bool WaitSignal::Clear() {
  const bool was_woken = WaitForSingleObject(fd_, 0) == WAIT_OBJECT_0;
  ResetEvent(fd_);
  return was_woken;
}

}  // namespace openssl_async
