// The submitters of jobs, who are told of the jobs' events.
#pragma once

#include <cstdint>

#include "wakeup/wake_target.h"

namespace openssl_async {

class ScheduledJob;

// The owner's own name for a job or a wait.
using JobId = uint32_t;
constexpr JobId kNoJobId = UINT32_MAX;

// Is called on the loop's thread, outside all jobs, after Scheduler::RequestDelivery().
class DeliveryTarget {
 public:
  // May run JavaScript, call back into the scheduler, and turn the loop.
  virtual void OnDelivery() = 0;

 protected:
  ~DeliveryTarget() = default;

 private:
  friend class Scheduler;
  bool is_due_ = false;
};

// Events come at once, while other jobs have still to run, or even on a job's stack: note the event and return.
// OnDelivery() follows once for all events of a turn; call back into the scheduler there.
class JobOwner : public DeliveryTarget {
 public:
  // The job keeps its result until this returns, and may not be named afterwards.
  virtual void OnEnd(const ScheduledJob& job) = 0;
  // A program waits for Scheduler::Continue().
  virtual void OnHandOver(ScheduledJob& /*job*/) {}
  // The job's fds cannot be watched (WaitPoint::watch_error()); polling drives the job on.
  virtual void OnUnwatchable(ScheduledJob& /*job*/) {}
  // A ManualWait is over.
  virtual void OnAwaited(JobId /*id*/, WakeKind /*kind*/) {}

  // The next three are called only while Scheduler::SetTracing(true).
  virtual void OnStart(ScheduledJob& /*job*/) {}
  virtual void OnPause(ScheduledJob& /*job*/) {}
  virtual void OnResume(ScheduledJob& /*job*/, WakeKind /*kind*/) {}

 protected:
  ~JobOwner() = default;
};

}  // namespace openssl_async
