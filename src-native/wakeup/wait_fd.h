// Checks of wait fds, and waiting for them without the loop.
#pragma once

#include <vector>

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

// Refuses an fd that cannot be a wait fd.
Result<void> CheckWaitFd(WaitFd fd);

// The error for an fd that the system refused to watch; `uv_error` is libuv's code.
Error WaitFdError(WaitFd fd, int uv_error);

// Waits without the loop until one of `fds` is readable or `timeout_ms` have passed, and tells which are readable. Used
// when the environment ends and its loop runs no more.
std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms);

}  // namespace openssl_async
