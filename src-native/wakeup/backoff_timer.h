// Tells jobs that offer no other way to try again: after the first interval, then after twice as long each time, up to
// a limit. One uv timer serves them all.
#pragma once

#include <cstdint>
#include <vector>

#include "base/intrusive_list.h"
#include "wakeup/uv_handle.h"
#include "wakeup/wake_target.h"

namespace openssl_async {

struct BackoffEntry : ListNode<BackoffEntry> {
  WakeTarget* target = nullptr;
  uint64_t due_ms = 0;
  uint8_t level = 0;
};

class BackoffTimer {
 public:
  BackoffTimer(uv_loop_t* loop, OpenHandles& open, int* error);

  // Before the first entry.
  void Configure(uint64_t initial_interval_ms, uint64_t max_interval_ms);

  // Wakes `entry.target` once. `attempt` counts from 0.
  void Schedule(BackoffEntry& entry, unsigned attempt);
  void Cancel(BackoffEntry& entry);

  // Wakes those whose time has come, by the clock. The loop does it by itself; a drain without the loop calls it.
  void FireDue();

 private:
  void Start(uint64_t due_ms);

  uv_loop_t* loop_;
  UvHandlePointer<uv_timer_t> timer_;
  uint64_t armed_due_ms_ = 0;  // 0 while the timer is not armed
  // By interval: all entries of a list wait equally long, so each list is in the order of its due times.
  std::vector<uint64_t> intervals_;
  std::vector<IntrusiveList<BackoffEntry>> levels_;
};

}  // namespace openssl_async
