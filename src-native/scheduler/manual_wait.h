// Waits for the wake-up of a job that its caller starts and resumes by itself.
#pragma once

#include "scheduler/job_owner.h"
#include "wakeup/backoff_timer.h"
#include "wakeup/wait_point.h"

namespace openssl_async {

class Scheduler;

// A wait keeps the loop alive. The owner destroys a wait to give it up, or once it is over, but not from within
// OnAwaited(): libuv may be in the middle of an fd's callback then.
class ManualWait final : private WakeTarget {
 public:
  ManualWait(Scheduler& scheduler, WaitPoint& wait_point, JobOwner& owner, JobId id);
  ~ManualWait();
  ManualWait(const ManualWait&) = delete;
  ManualWait& operator=(const ManualWait&) = delete;

  // OnAwaited() may come at once.
  Result<void> Start();

 private:
  bool OnWake(WakeKind kind) override;

  Scheduler& scheduler_;
  WaitPoint& wait_point_;
  JobOwner& owner_;
  const JobId id_;
  BackoffEntry backoff_;
  bool done_ = false;
};

}  // namespace openssl_async
