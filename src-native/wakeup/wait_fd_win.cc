// Wait "fds" are waitable HANDLEs on Windows.
#include <windows.h>

#include <uv.h>

#include <algorithm>
#include <string>

#include "wakeup/wait_fd.h"

namespace openssl_async {

namespace {

// Which of `handles` are signalled now. A handle that cannot be waited for counts: its job finds out by itself.
std::vector<bool> Look(const std::vector<HANDLE>& handles) {
  std::vector<bool> signalled;
  signalled.reserve(handles.size());
  for (HANDLE handle : handles) signalled.push_back(WaitForSingleObject(handle, 0) != WAIT_TIMEOUT);
  return signalled;
}

// The system waits for 64 handles at a time: more take turns of a millisecond.
void WaitForAny(const std::vector<HANDLE>& handles, DWORD timeout_ms, std::vector<bool>& signalled) {
  if (handles.empty()) {
    Sleep(timeout_ms);
    return;
  }
  const ULONGLONG deadline = GetTickCount64() + timeout_ms;
  const DWORD turn_ms = handles.size() > MAXIMUM_WAIT_OBJECTS ? 1 : timeout_ms;
  size_t first = 0;
  do {
    const auto count = static_cast<DWORD>(std::min<size_t>(MAXIMUM_WAIT_OBJECTS, handles.size() - first));
    const DWORD result = WaitForMultipleObjects(count, handles.data() + first, FALSE, turn_ms);
    if (result < WAIT_OBJECT_0 + count) {
      signalled[first + result - WAIT_OBJECT_0] = true;
      return;
    }
    first = first + count < handles.size() ? first + count : 0;
  } while (GetTickCount64() < deadline);
}

}  // namespace

Result<void> CheckWaitFd(WaitFd fd) {
  DWORD flags = 0;
  if (GetHandleInformation(fd, &flags) != 0) return {};
  return WaitFdError(fd, UV_EBADF);
}

Error WaitFdError(WaitFd, int uv_error) {
  if (uv_error == UV_EBADF) return {"ERR_ASYNC_INVALID_FD", "The wait handle is not open", {}};
  return {
      "ERR_ASYNC_FD_NOT_POLLABLE", std::string("The wait handle cannot be waited for: ") + uv_strerror(uv_error), {}};
}

std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms) {
  // Each handle once: a look at some kinds of handle takes away the reason for which they are signalled.
  std::vector<HANDLE> handles(fds);
  std::sort(handles.begin(), handles.end());
  handles.erase(std::unique(handles.begin(), handles.end()), handles.end());
  std::vector<bool> signalled = Look(handles);
  if (std::find(signalled.begin(), signalled.end(), true) == signalled.end()) {
    WaitForAny(handles, static_cast<DWORD>(timeout_ms), signalled);
  }
  std::vector<bool> readable;
  for (const WaitFd fd : fds) {
    const auto place = std::lower_bound(handles.begin(), handles.end(), fd);
    readable.push_back(signalled[static_cast<size_t>(place - handles.begin())]);
  }
  return readable;
}

}  // namespace openssl_async
