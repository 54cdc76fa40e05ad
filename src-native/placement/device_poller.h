// Has a device look for responses that it does not announce by itself: at the end of each turn in which many operations
// are in flight or all of them wait, and now and then.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>

#include "placement/operation_stats.h"
#include "scheduler/scheduler.h"
#include "wakeup/uv_handle.h"

namespace openssl_async {

struct PollingOptions {
  uint64_t interval_ms = 1;
  // So many operations in flight are worth a look while others are still being submitted.
  uint32_t asym_threshold = 48;
  uint32_t sym_threshold = 24;  // where none of them is asymmetric
};

// Has the device look for responses. True when the device says that it found some; not every device says so.
using PollDevice = std::function<bool()>;

class DevicePoller {
 public:
  // `scheduler`, whose jobs wait, and `backend` outlive the poller. Null, with libuv's code in `error`, if libuv fails.
  static std::unique_ptr<DevicePoller> Create(uv_loop_t* loop, OpenHandles& open, const Scheduler& scheduler,
                                              BackendStats& backend, const PollingOptions& options, PollDevice poll,
                                              int* error);

  const BackendStats& backend() const { return backend_; }

  // An operation was submitted, or has ended.
  void OnInFlightChanged();
  // All ready jobs have run. Loop thread, outside any job.
  void OnTurnEnd(bool all_wait);

 private:
  DevicePoller(const Scheduler& scheduler, BackendStats& backend, const PollingOptions& options, PollDevice poll)
      : scheduler_(scheduler), backend_(backend), options_(options), poll_(std::move(poll)) {}

  bool Poll();
  void OnTimer();

  const Scheduler& scheduler_;
  BackendStats& backend_;
  const PollingOptions options_;
  const PollDevice poll_;
  UvHandlePointer<uv_timer_t> timer_;
  bool is_running_ = false;
  bool has_found_ = false;  // responses, since the timer's last call
};

}  // namespace openssl_async
