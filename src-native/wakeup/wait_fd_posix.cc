#include <poll.h>
#include <sys/stat.h>
#include <uv.h>

#include <string>

#include "wakeup/wait_fd.h"

namespace openssl_async {

Result<void> CheckWaitFd(WaitFd fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return WaitFdError(fd, UV_EBADF);
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return WaitFdError(fd, UV_EPERM);
  return {};
}

Error WaitFdError(WaitFd fd, int uv_error) {
  const std::string name = "Wait fd " + std::to_string(fd);
  if (uv_error == UV_EBADF) return {"ERR_ASYNC_INVALID_FD", name + " is not open", {}};
  if (uv_error == UV_EPERM) {
    return {"ERR_ASYNC_FD_NOT_POLLABLE", name + " cannot be waited for: it is a regular file or a directory", {}};
  }
  return {"ERR_ASYNC_FD_NOT_POLLABLE", name + " cannot be polled: " + uv_strerror(uv_error), {}};
}

std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms) {
  std::vector<pollfd> polled;
  polled.reserve(fds.size());
  for (const WaitFd fd : fds) polled.push_back({fd, POLLIN, 0});
  std::vector<bool> readable(fds.size());
  if (poll(polled.data(), static_cast<nfds_t>(polled.size()), timeout_ms) <= 0) return readable;
  for (size_t i = 0; i < polled.size(); ++i) readable[i] = polled[i].revents != 0;
  return readable;
}

}  // namespace openssl_async
