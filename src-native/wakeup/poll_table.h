// Watches wait fds. An fd is watched once, however many wait contexts share it, and for as long as one of them does.
//
// Three implementations: poll_table_epoll.cc (Linux), poll_table_uv.cc (other POSIX systems), poll_table_win.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/intrusive_list.h"
#include "base/result.h"
#ifndef _WIN32
#include "base/unique_fd.h"
#endif
#include "openssl/pointers.h"
#include "wakeup/uv_handle.h"
#include "wakeup/wake_target.h"

// A build for Linux can use the implementation of the other POSIX systems, to test it.
#if defined(__linux__) && !defined(OPENSSL_ASYNC_POLL_WITH_UV)
#define OPENSSL_ASYNC_POLL_WITH_EPOLL 1
#endif

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
  // Unusable, and libuv's code in `error`, when the system refuses.
  PollTable(uv_loop_t* loop, OpenHandles& open, int* error);
  ~PollTable();
  PollTable(const PollTable&) = delete;
  PollTable& operator=(const PollTable&) = delete;

  // Starts to watch `watch.fd` for `watch.target`. Refused for a closed fd and for one that cannot be polled. An fd
  // that is watched already counts as a new one of the same number.
  Result<void> Add(FdWatch& watch);
  // The fd may be closed already.
  void Remove(FdWatch& watch);
  // Call it before every wait: a source whose events nobody wanted is disarmed. 0, or libuv's code when the system
  // refuses: nothing wakes the target then.
  [[nodiscard]] int Arm(FdWatch& watch);

  // While many events come at a time the table is busy: it does not wake the loop, and the scheduler calls Collect() in
  // every turn of the loop, which must not block.
  bool busy() const { return busy_; }
  void Collect();

  // Collects nothing while woken jobs wait for their turn: their fds would only report again.
  void Hold(bool hold) { hold_ = hold; }

 private:
  uv_loop_t* loop_;
  OpenHandles& open_;
  bool hold_ = false;
  bool busy_ = false;
#ifndef OPENSSL_ASYNC_POLL_WITH_EPOLL
  std::unordered_map<WaitFd, std::unique_ptr<PollSource>> sources_;
#else
  void Listen();
  PollSource* SourceOf(uint64_t event) const;
  void Renew();
  uint32_t serials_ = 0;
  std::vector<std::unique_ptr<PollSource>> sources_;  // by fd: the system hands out small numbers
  size_t watched_ = 0;
  UniqueFd epoll_;
  UvHandlePointer<uv_poll_t> handle_;  // closed before epoll_
#endif
};

}  // namespace openssl_async
