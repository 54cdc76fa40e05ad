// Wait "fds" are waitable HANDLEs on Windows.
#include <windows.h>

#include <uv.h>

#include "wakeup/wait_fd.h"

namespace openssl_async {

Result<void> CheckWaitFd(WaitFd fd) {
  DWORD flags = 0;
  if (GetHandleInformation(fd, &flags) != 0) return {};
  return WaitFdError(fd, UV_EBADF);
}

Error WaitFdError(WaitFd, int uv_error) {
  if (uv_error == UV_EBADF) return {"ERR_ASYNC_INVALID_FD", "The wait handle is not open", {}};
  return {"ERR_ASYNC_FD_NOT_POLLABLE", uv_strerror(uv_error), {}};
}

std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms) {
  std::vector<bool> readable(fds.size());
  if (fds.empty()) {
    Sleep(static_cast<DWORD>(timeout_ms));
    return readable;
  }
  bool any = false;
  for (size_t i = 0; i < fds.size(); ++i) {
    readable[i] = WaitForSingleObject(fds[i], 0) == WAIT_OBJECT_0;
    any = any || readable[i];
  }
  if (!any) Sleep(static_cast<DWORD>(timeout_ms));
  return readable;
}

}  // namespace openssl_async
