// Watches wait fds: one poll handle for each fd, however many wait contexts share it, kept while any of them does.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/intrusive_list.h"
#include "base/result.h"
#include "openssl/pointers.h"
#include "wakeup/uv_handle.h"
#include "wakeup/wake_target.h"

namespace openssl_async {

class PollSource;

// One wait context's interest in one fd.
struct FdWatch : ListNode<FdWatch> {
  WaitFd fd = OSSL_BAD_ASYNC_FD;
  PollSource* source = nullptr;
  WakeTarget* target = nullptr;
};

class PollTable {
 public:
  PollTable(uv_loop_t* loop, OpenHandles& open);
  ~PollTable();
  PollTable(const PollTable&) = delete;
  PollTable& operator=(const PollTable&) = delete;

  // Starts to watch `watch.fd` for `watch.target`. Refused for a closed fd and for one that cannot be polled. An fd that
  // is watched already counts as a new one of the same number.
  Result<void> Add(FdWatch& watch);
  // The fd may be closed already.
  void Remove(FdWatch& watch);
  // Must precede every wait: a source whose events nobody wanted has been disarmed.
  void Arm(FdWatch& watch);

 private:
  uv_loop_t* loop_;
  OpenHandles& open_;
  std::unordered_map<WaitFd, std::unique_ptr<PollSource>> sources_;
};

// Without the loop: waits until one of `fds` is readable, or `timeout_ms` have passed, and says which are. Used when the
// environment ends and its loop runs no more.
std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms);

// Why an fd cannot be a wait fd, if so.
Result<void> CheckWaitFd(WaitFd fd);

}  // namespace openssl_async
