// Wakes jobs that offer nothing else to wait for: after the first interval, then after twice as long each time, up to a
// limit. One uv timer serves all jobs.
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

  // Wakes the entries that are due. The loop calls it by itself; a drain without the loop calls it directly.
  void FireDue();

 private:
  void Start(uint64_t due_ms);

  uv_loop_t* loop_;
  UvHandlePointer<uv_timer_t> timer_;
  uint64_t armed_due_ms_ = 0;  // 0 while the timer is not armed
  // One list for each interval. Its entries wait equally long, so they are in the order of their due times.
  std::vector<uint64_t> intervals_;
  std::vector<IntrusiveList<BackoffEntry>> levels_;
};

}  // namespace openssl_async
