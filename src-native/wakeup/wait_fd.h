// What can be a wait fd.
#pragma once

#include <vector>

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

// Why an fd cannot be a wait fd, if so.
Result<void> CheckWaitFd(WaitFd fd);

// The error for an fd that the system refused to watch with this error of libuv's.
Error WaitFdError(WaitFd fd, int uv_error);

// Without the loop: waits until one of `fds` is readable, or `timeout_ms` have passed, and says which are. Used when
// the environment ends and its loop runs no more.
std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms);

}  // namespace openssl_async
