// Runs jobs from an event loop: admits, starts, waits in whichever way a job offers, resumes, completes in batches.
// One for each environment, on its thread.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/intrusive_list.h"
#include "job/job_thread.h"
#include "scheduler/metrics.h"
#include "scheduler/scheduled_job.h"
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
  JobId id = kNoJobId;
  JobFunction function = nullptr;  // null for a program
  const void* args = nullptr;      // copied
  size_t args_size = 0;
  WaitPoint* wait_point = nullptr;  // null for one of the scheduler's own
  WaitMode wait_mode = WaitMode::kAuto;
  // Whose jobs share the scheduler's wait contexts that keep fds: another's would be taken for what this job offers.
  // Null for `function`.
  const void* wait_owner = nullptr;
};

// What the submitter is told; eight 32-bit words, which JavaScript reads as they are.
struct JobEvent {
  enum class Kind : int32_t {
    kFinished,     // value: the return value
    kFailed,       // TakeFailure() has the error
    kHandedOver,   // value: the last command's success; detail: its fd. Continue() is due
    kUnwatchable,  // TakeFailure() has the error; the job is driven on by polling, and its end will be told
    kStarted,      // the three below only while SetTracing(true)
    kPaused,
    kResumed,  // value: a WakeKind
    kAwaited,  // Await() is over; value: a WakeKind
  };
  JobId id = kNoJobId;
  Kind kind = Kind::kFinished;
  int32_t value = 0;
  uint32_t pauses = 0;
  WakeupCounts wakeups;
  int32_t detail = 0;  // kFinished: 1 when TakeFailure() has what the job left in its error queue
};
static_assert(sizeof(JobEvent) == 8 * sizeof(int32_t));

class Scheduler {
 public:
  class Delegate {
   public:
    // On the loop's thread, never within a job. May call back into the scheduler.
    virtual void OnEvents(const JobEvent* events, size_t count) = 0;
    // RequestDelivery() was called, from wherever; now JavaScript may be.
    virtual void OnDelivery() = 0;
    // Some jobs wait; with `all_wait` there is nothing else to do. What it wakes has its turn at once.
    virtual void OnTurnEnd(bool all_wait) = 0;

   protected:
    ~Delegate() = default;
  };

  static Result<std::unique_ptr<Scheduler>> Create(uv_loop_t* loop, Delegate& delegate);
  // Closes one that was never used; its memory goes when the loop has let go of the handles.
  static void Discard(std::unique_ptr<Scheduler> scheduler);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Before the first job.
  void Configure(const SchedulerOptions& options);

  // Queues a job; the loop starts it. Limits on how many may wait are the submitter's.
  void Submit(const JobRequest& request);
  // Answers kHandedOver.
  void Continue(JobId id, const Command& command);
  // Resumes a waiting program without its wake-up; its hand-over follows.
  void Interrupt(JobId id);
  // Nobody wants the job any more. True when it had not begun: it is forgotten, and no event follows. Otherwise it is
  // driven to its end, which is told as usual, but does not keep the loop alive.
  bool Abandon(JobId id);
  // The error of an event; once.
  Error TakeFailure(JobId id);

  // A job that the caller starts and resumes by itself, with RunManual(). `request.id` is ignored.
  ScheduledJob* CreateManual(const JobRequest& request);
  JobStatus RunManual(ScheduledJob& job);
  // Ended or never begun: its memory is used again, and the result is false. Paused: it is driven to its end as an
  // abandoned job with this id, and that end is told.
  bool ReleaseManual(ScheduledJob* job, JobId id);

  // Waits for the wake-up of a job that its caller resumes: kAwaited follows, with this id, unless it is cancelled.
  Result<void> Await(WaitPoint& wait_point, JobId id);
  void CancelAwait(JobId id);
  // Keeps the loop alive until Tell(), which has kAwaited follow.
  void ExpectTelling(JobId id);
  void Tell(JobId id);

  // Has OnDelivery() called soon. Loop thread; also within a job.
  void RequestDelivery();

  Result<std::unique_ptr<WaitPoint>> CreateWaitPoint() { return WaitPoint::Create(*callbacks_, *polls_); }

  // The job that runs now; kNoJobId when there is none, or it is one of its caller's own.
  JobId running() const { return running_; }

  void SetTracing(bool tracing) { tracing_ = tracing; }
  const Metrics& metrics() const { return metrics_; }
  // The fds that engines keep in the wait contexts of schedulers go: of idle ones now, of a job's when it ends; those
  // of other threads with their next job.
  void ForgetWaitFds();

  size_t live() const { return live_; }
  size_t queued() const { return queue_.size(); }
  size_t ready() const { return ready_.size(); }
  size_t waiting() const { return waiting_; }
  // No job lives or waits for a place, nobody waits for one, and no event is left to tell.
  bool idle() const { return live_ == 0 && queue_.empty() && manual_waits_.empty() && events_.empty(); }
  // An event with this id may come.
  bool Knows(JobId id) const;

  // Without the loop and without events: drives live jobs to their end for at most `timeout_ms`; programs end at their
  // next hand-over. Returns how many are left. Jobs that wait for a place are dropped.
  size_t Drain(uint64_t timeout_ms);
  // Closes all handles; `done` runs when the loop has let go of them. Jobs that are still live are abandoned for good:
  // their memory stays. Nothing may be called afterwards.
  void Close(std::function<void()> done);

 private:
  friend class ScheduledJob;
  class ManualWait;

  Scheduler(uv_loop_t* loop, Delegate& delegate);
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
  bool EndAwait(JobId id);
  void Complete(ScheduledJob& job, JobStatus status);
  void Free(ScheduledJob& job);
  ScheduledJob& Allocate(const JobRequest& request);
  ScheduledJob* Find(JobId id) const;
  bool AcquireWaitPoint(ScheduledJob& job);
  void ReleaseWaitPoint(ScheduledJob& job);
  void DropForgottenFds();
  void DropOneWithFds(const void* owner);

  void SetId(ScheduledJob& job, JobId id);
  void EnsureUnblocked();

  void WaitWithoutLoop();
  void Emit(ScheduledJob& job, JobEvent::Kind kind, int32_t value, int32_t detail = 0);
  void DeliverEvents();
  bool OutOfTime(uint64_t deadline_ns);
  void RetryPoolLater();
  void ScheduleTick();
  void StopTicking();
  void UpdateKeepAlive();

  uv_loop_t* loop_;
  Delegate& delegate_;
  JobThread& thread_;
  SchedulerOptions options_;
  Metrics metrics_;
  std::unordered_map<JobId, Error> failures_;
  std::vector<JobEvent> events_;
  std::vector<JobEvent> delivered_;  // kept for its memory

  // Teardown order, last first: jobs, wait points, what wakes them, the handles' counter.
  std::unique_ptr<OpenHandles> open_;
  CallbackQueue* callbacks_ = nullptr;
  std::optional<PollTable> polls_;
  std::optional<BackoffTimer> backoff_;
  UvHandlePointer<uv_idle_t> idle_;    // active while jobs are ready: the loop must not block
  UvHandlePointer<uv_check_t> check_;  // after polling: runs what became ready
  // Between jobs. In a job's hands they are the job's.
  std::vector<std::unique_ptr<WaitPoint>> free_wait_points_;
  std::unordered_map<const void*, std::vector<std::unique_ptr<WaitPoint>>> wait_points_with_fds_;
  size_t kept_with_fds_ = 0;
  std::unordered_map<JobId, std::unique_ptr<ManualWait>> manual_waits_;
  std::unique_ptr<std::deque<ScheduledJob>> jobs_;
  std::vector<ScheduledJob*> free_jobs_;
  std::vector<ScheduledJob*> by_id_;
  IntrusiveList<ScheduledJob> queue_;
  IntrusiveList<ScheduledJob> ready_;

  JobId running_ = kNoJobId;
  uint32_t wait_generation_ = 0;  // when wait contexts were last dropped
  size_t live_ = 0;
  size_t waiting_ = 0;
  size_t wanted_ = 0;  // queued or live, and not abandoned: these keep the loop alive
  bool keeping_alive_ = false;
  bool ticking_ = false;  // idle_ and check_ are active
  bool in_tick_ = false;
  bool tracing_ = false;
  bool draining_ = false;
  bool delivery_requested_ = false;
  // OpenSSL's pool had no job for us, or other users of the thread hold all there may be: try again after a while.
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
