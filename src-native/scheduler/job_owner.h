// Who submits jobs, and is told of them.
#pragma once

#include <cstdint>

#include "wakeup/wake_target.h"

namespace openssl_async {

class ScheduledJob;

// Names a job, or a wait, to its owner, who chooses it.
using JobId = uint32_t;
constexpr JobId kNoJobId = UINT32_MAX;

// Has its say on the loop's thread, outside all jobs, after Scheduler::RequestDelivery().
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

// Each event comes at once, while other jobs have still to run, or even on the stack of one of them: note it and
// return. OnDelivery() follows once for all events of a turn; that is the place to call back into the scheduler.
class JobOwner : public DeliveryTarget {
 public:
  // The job has what it ended with until this returns, and may not be named afterwards.
  virtual void OnEnd(const ScheduledJob& job) = 0;
  // A program waits for Scheduler::Continue().
  virtual void OnHandOver(ScheduledJob& /*job*/) {}
  // The fds that the job offers cannot be watched: WaitPoint::watch_error(). It is driven on by polling.
  virtual void OnUnwatchable(ScheduledJob& /*job*/) {}
  // A ManualWait is over.
  virtual void OnAwaited(JobId /*id*/, WakeKind /*kind*/) {}

  // The three below only while Scheduler::SetTracing(true).
  virtual void OnStart(ScheduledJob& /*job*/) {}
  virtual void OnPause(ScheduledJob& /*job*/) {}
  virtual void OnResume(ScheduledJob& /*job*/, WakeKind /*kind*/) {}

 protected:
  ~JobOwner() = default;
};

}  // namespace openssl_async
