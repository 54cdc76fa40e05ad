// Runs jobs from an event loop: admits, starts, waits in whichever way a job offers, resumes, completes in batches.
// One for each environment, on its thread.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/intrusive_list.h"
#include "job/job_thread.h"
#include "scheduler/job_owner.h"
#include "scheduler/manual_wait.h"
#include "scheduler/metrics.h"
#include "scheduler/scheduled_job.h"
#include "scheduler/wait_point_pool.h"
#include "wakeup/backoff_timer.h"
#include "wakeup/callback_queue.h"
#include "wakeup/poll_table.h"

namespace openssl_async {

struct SchedulerOptions {
  size_t max_jobs = 16384;
  uint64_t tick_budget_ns = 2'000'000;
  uint64_t poll_initial_ms = 1;
  uint64_t poll_max_ms = 16;
};

struct JobRequest {
  JobOwner* owner = nullptr;       // null when nobody is to be told
  JobId id = kNoJobId;             // the owner's name for it
  JobFunction function = nullptr;  // null for a program
  const void* args = nullptr;      // copied
  size_t args_size = 0;
  WaitPoint* wait_point = nullptr;  // null for one of the scheduler's own
  WaitMode wait_mode = WaitMode::kAuto;
  // Jobs of one group share the scheduler's wait contexts that keep fds; see WaitPointPool. Null for `function`.
  const void* wait_group = nullptr;
};

// Is told when a turn is over.
class TurnObserver {
 public:
  // Some jobs wait; with `all_wait` there is nothing else to do. Jobs that it wakes have their turn at once.
  virtual void OnTurnEnd(bool all_wait) = 0;

 protected:
  ~TurnObserver() = default;
};

class Scheduler {
 public:
  static Result<std::unique_ptr<Scheduler>> Create(uv_loop_t* loop);
  // Closes a scheduler that was never used; its memory goes when the loop has let go of the handles.
  static void Discard(std::unique_ptr<Scheduler> scheduler);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Before the first job.
  void Configure(const SchedulerOptions& options);

  // Call it once for each target and owner, which live until the scheduler was drained. Due targets are called in this
  // order.
  void AddTarget(DeliveryTarget& target) { targets_.push_back(&target); }
  // Has OnDelivery() called soon. Loop thread; also within a job.
  void RequestDelivery(DeliveryTarget& target) {
    NoteDue(target);
    ScheduleTick();
  }
  // Null for nobody.
  void ObserveTurns(TurnObserver* observer) { turn_observer_ = observer; }

  // Queues a job; the loop starts it. The submitter limits how many jobs may wait. The job may be named until its end
  // was told or Abandon() has forgotten it.
  ScheduledJob& Submit(const JobRequest& request);
  // Answers OnHandOver().
  void Continue(ScheduledJob& job, const Command& command);
  // Resumes a waiting program without its wake-up; its hand-over follows.
  void Interrupt(ScheduledJob& job);
  // Nobody wants the job any more. True when it had not begun: it is forgotten without an event. Otherwise it is driven
  // to its end, which is told as usual, but does not keep the loop alive.
  bool Abandon(ScheduledJob& job);

  // A job that the caller starts and resumes by itself, with RunManual(), and that nobody is told of.
  ScheduledJob* CreateManual(const JobRequest& request);
  JobStatus RunManual(ScheduledJob& job);
  // False for a job that ended or never began: its memory is used again. A paused job is driven to its end as an
  // abandoned job; `owner`, unless null, is told of the end.
  bool ReleaseManual(ScheduledJob* job, JobOwner* owner, JobId id);
  // Waits for the wake-up of a job that its caller resumes: the owner's OnAwaited() follows, with this id, unless the
  // wait is given up before.
  Result<std::unique_ptr<ManualWait>> Await(WaitPoint& wait_point, JobOwner& owner, JobId id);

  Result<std::unique_ptr<WaitPoint>> CreateWaitPoint() { return WaitPoint::Create(*callbacks_, *polls_); }

  // The job that runs now; null when there is none, or its caller runs it.
  const ScheduledJob* running() const { return running_; }

  void SetTracing(bool tracing) { tracing_ = tracing; }
  const Metrics& metrics() const { return metrics_; }
  // Drops the fds that engines keep in wait contexts: in idle contexts now, in a job's context when the job ends, and
  // in other threads' contexts with their next job.
  void ForgetWaitFds() { wait_points_.ForgetFds(); }

  size_t live() const { return live_; }
  size_t queued() const { return queue_.size(); }
  size_t ready() const { return ready_.size(); }
  size_t waiting() const { return waiting_; }
  // True when no job is live or queued. Owners may still have events to tell.
  bool idle() const { return live_ == 0 && queue_.empty(); }

  // Without the loop and without events: drives live jobs to their end for at most `timeout_ms`; programs end at their
  // next hand-over. Returns how many are left. Queued jobs are dropped.
  size_t Drain(uint64_t timeout_ms);
  // Closes all handles; `done` runs when the loop has let go of them. Jobs that are still live are abandoned for good:
  // their memory stays. Nothing may be called afterwards.
  void Close(std::function<void()> done);

 private:
  friend class ScheduledJob;
  friend class ManualWait;

  explicit Scheduler(uv_loop_t* loop);
  Result<void> Open();

  void Tick();
  bool HasWork() const;
  void RunQueued(uint64_t deadline_ns);
  void RunReady(uint64_t deadline_ns);
  bool CanAdmit() const;
  bool Admit(ScheduledJob& job);
  void Step(ScheduledJob& job);
  void AwaitWake(ScheduledJob& job);
  void MakeReady(ScheduledJob& job);
  void HandOver(ScheduledJob& job);
  void Complete(ScheduledJob& job, JobStatus status);
  void Free(ScheduledJob& job);
  ScheduledJob& Allocate(const JobRequest& request);
  bool AcquireWaitPoint(ScheduledJob& job);
  void ReleaseWaitPoint(ScheduledJob& job);
  void EnsureUnblocked();

  void WaitWithoutLoop();
  JobOwner* OwnerToTell(const ScheduledJob& job);
  void NoteDue(DeliveryTarget& target) {
    if (!std::exchange(target.is_due_, true)) ++due_;
  }
  void Deliver();
  bool OutOfTime(uint64_t deadline_ns);
  void RetryPoolLater();
  void ScheduleTick();
  void StopTicking();
  // Wanted jobs and waits keep the loop alive.
  void Want();
  void Unwant();

  uv_loop_t* loop_;
  TurnObserver* turn_observer_ = nullptr;
  JobThread& thread_;
  SchedulerOptions options_;
  Metrics metrics_;
  std::vector<DeliveryTarget*> targets_;

  // Teardown order, last first: jobs, wait points, what wakes them, the handles' counter.
  std::unique_ptr<OpenHandles> open_;
  CallbackQueue* callbacks_ = nullptr;
  std::optional<PollTable> polls_;
  std::optional<BackoffTimer> backoff_;
  UvHandlePointer<uv_idle_t> idle_;    // active while jobs are ready: the loop must not block
  UvHandlePointer<uv_check_t> check_;  // after polling: runs what became ready
  WaitPointPool wait_points_;
  std::unique_ptr<std::deque<ScheduledJob>> jobs_;
  std::vector<ScheduledJob*> free_jobs_;
  IntrusiveList<ScheduledJob> queue_;
  IntrusiveList<ScheduledJob> ready_;

  const ScheduledJob* running_ = nullptr;
  size_t live_ = 0;
  size_t waiting_ = 0;
  size_t wanted_ = 0;     // jobs that are queued or live, and not abandoned; manual waits
  size_t due_ = 0;        // targets
  size_t events_ = 0;     // told since the last delivery
  bool ticking_ = false;  // idle_ and check_ are active
  bool in_tick_ = false;
  bool tracing_ = false;
  bool draining_ = false;
  // Tries again after a while, when OpenSSL's pool had no job for us or other users of the thread hold all of them.
  class PoolRetry final : public WakeTarget {
   public:
    explicit PoolRetry(Scheduler& scheduler) : scheduler_(scheduler) { entry.target = this; }
    bool OnWake(WakeKind kind) override;
    BackoffEntry entry;

   private:
    Scheduler& scheduler_;
  };
  PoolRetry pool_retry_{*this};
  bool pool_exhausted_ = false;
  std::unique_ptr<WaitContext> probe_context_;  // for EnsureUnblocked()
  uint64_t now_ns_ = 0;
  unsigned steps_since_clock_ = 0;
};

}  // namespace openssl_async
