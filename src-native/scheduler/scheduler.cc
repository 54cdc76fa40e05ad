#include "scheduler/scheduler.h"

#include <cassert>
#include <string>
#include <utility>

#include "base/memory.h"
#include "base/prefetch.h"

namespace openssl_async {

namespace {

// So many job switches share one reading of the clock.
constexpr unsigned kStepsPerClock = 16;
// So many events at most are told at once, so that the memory they need stays in the cache.
constexpr size_t kMostEvents = 1024;
// So many jobs at most start in a row. Those that can go on at once then go on, while their stacks are in the cache.
constexpr size_t kMostStarts = 256;

}  // namespace

// --- Scheduler: set-up

Result<std::unique_ptr<Scheduler>> Scheduler::Create(uv_loop_t* loop) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler(loop));
  if (Result<void> opened = scheduler->Open(); !opened.ok()) {
    Discard(std::move(scheduler));
    return opened.error();
  }
  return scheduler;
}

void Scheduler::Discard(std::unique_ptr<Scheduler> scheduler) {
  Scheduler* closing = scheduler.release();
  closing->Close([closing] { delete closing; });
}

Scheduler::Scheduler(uv_loop_t* loop)
    : loop_(loop),
      thread_(JobThread::Current()),
      open_(std::make_unique<OpenHandles>()),
      jobs_(std::make_unique<std::deque<ScheduledJob>>()) {}

Scheduler::~Scheduler() = default;

Result<void> Scheduler::Open() {
  int error = 0;
  const auto failed = [&error] { return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}}; };
  callbacks_ = CallbackQueue::Adopt(loop_, *open_, &error);
  if (error != 0) return failed();
  polls_.emplace(loop_, *open_, &error);
  if (error != 0) return failed();
  backoff_.emplace(loop_, *open_, &error);
  if (error != 0) return failed();
  idle_ = OpenHandle<uv_idle_t>(*open_, this, &error, [this](uv_idle_t* idle) { return uv_idle_init(loop_, idle); });
  if (error != 0) return failed();
  check_ =
      OpenHandle<uv_check_t>(*open_, this, &error, [this](uv_check_t* check) { return uv_check_init(loop_, check); });
  if (error != 0) return failed();
  return {};
}

void Scheduler::Configure(const SchedulerOptions& options) {
  options_ = options;
  backoff_->Configure(options.poll_initial_ms, options.poll_max_ms);
}

// --- Scheduler: for submitters

ScheduledJob& Scheduler::Submit(const JobRequest& request) {
  ScheduledJob& job = Allocate(request);
  job.owner_ = request.owner;
  job.id_ = request.id;
  job.state_ = ScheduledJob::State::kQueued;
  job.submitted_ns_ = in_tick_ ? now_ns_ : uv_hrtime();
  queue_.PushBack(&job);
  ++metrics_.submitted;
  Want();
  ScheduleTick();
  return job;
}

void Scheduler::Continue(ScheduledJob& job, const Command& command) {
  if (job.state_ != ScheduledJob::State::kHandedOver) return;
  job.program_.Continue(command);
  MakeReady(job);
}

void Scheduler::Interrupt(ScheduledJob& job) {
  if (job.is_program() && job.state_ == ScheduledJob::State::kWaiting) MakeReady(job);
}

bool Scheduler::Abandon(ScheduledJob& job) {
  if (job.state_ == ScheduledJob::State::kFree || job.abandoned_) return false;
  Unwant();
  if (job.state_ == ScheduledJob::State::kQueued) {
    queue_.Remove(&job);
    ++metrics_.cancelled;
    Free(job);
    return true;
  }
  job.abandoned_ = true;
  ++metrics_.abandoned;
  return false;
}

ScheduledJob* Scheduler::CreateManual(const JobRequest& request) {
  ScheduledJob& job = Allocate(request);
  job.state_ = ScheduledJob::State::kManual;
  job.wait_point_ = request.wait_point;
  job.Prepare(Job::BlockCheck::kAtEnd);
  return &job;
}

JobStatus Scheduler::RunManual(ScheduledJob& job) {
  const JobBatch batch(thread_);
  const bool starting = !job.job_.paused();
  EnsureUnblocked();  // before a resume too: the last scheduled jobs may have left a block behind
  job.ForgetPause();
  job.wait_point_->ForgetCallbacks();
  const JobStatus status = job.job_.Run(thread_);
  if (status == JobStatus::kNoJobs) return status;
  if (starting) ++live_;
  if (status == JobStatus::kPause) {
    job.seen_pause_ = !job.program_.handed_over();
    if (!job.seen_pause_) job.wait_point_->NoteHandOver();
    return status;
  }
  --live_;
  job.wait_point_->NoteEnd();
  pool_exhausted_ = false;
  if (!queue_.empty()) ScheduleTick();
  return status;
}

bool Scheduler::ReleaseManual(ScheduledJob* job, JobOwner* owner, JobId id) {
  if (!job->job_.paused()) {
    Free(*job);
    return false;
  }
  job->owner_ = owner;
  job->id_ = id;
  job->abandoned_ = true;
  job->orphaned_ = true;
  job->submitted_ns_ = job->started_ns_ = uv_hrtime();
  ++metrics_.abandoned;
  job->wait_point_->AttachPaused(job);
  if (job->is_program()) {
    job->program_.Continue(Command());
    MakeReady(*job);
  } else {
    AwaitWake(*job);
  }
  return true;
}

Result<std::unique_ptr<ManualWait>> Scheduler::Await(WaitPoint& wait_point, JobOwner& owner, JobId id) {
  auto wait = std::make_unique<ManualWait>(*this, wait_point, owner, id);
  if (Result<void> started = wait->Start(); !started.ok()) return started.error();
  return wait;
}

// --- Scheduler: the tick

void Scheduler::Tick() {
  in_tick_ = true;
  ++metrics_.ticks;
  now_ns_ = uv_hrtime();
  const uint64_t deadline_ns = now_ns_ + options_.tick_budget_ns;
  if (polls_->busy() && ready_.empty()) polls_->Collect();
  do {
    {
      const JobBatch jobs(thread_);
      EnsureUnblocked();
      do {
        RunReady(deadline_ns);
        RunQueued(deadline_ns);
      } while (due_ == 0 && HasWork() && !OutOfTime(deadline_ns));
    }
    Deliver();
  } while (HasWork() && !OutOfTime(deadline_ns));
  if (waiting_ > 0 && turn_observer_ != nullptr) turn_observer_->OnTurnEnd(!HasWork());
  in_tick_ = false;
  polls_->Hold(!ready_.empty());
  if (!HasWork() && !polls_->busy()) StopTicking();
  if (!queue_.empty() && !CanAdmit() && live_ == 0) RetryPoolLater();
}

// Deliveries are work, too: JavaScript may cause new events while it is told of others.
bool Scheduler::HasWork() const { return !ready_.empty() || due_ > 0 || (!queue_.empty() && CanAdmit()); }

void Scheduler::RunReady(uint64_t deadline_ns) {
  // Jobs that become ready meanwhile have their turn after the delivery of the events.
  for (size_t turns = ready_.size(); turns > 0 && !ready_.empty(); --turns) {
    if (events_ >= kMostEvents || OutOfTime(deadline_ns)) return;
    ScheduledJob& job = *ready_.PopFront();
    if (ScheduledJob* next = ready_.front(); next != nullptr) {
      Prefetch(next->wait_point_);
      Prefetch(ready_.Next(next));
    }
    Step(job);
  }
}

void Scheduler::RunQueued(uint64_t deadline_ns) {
  for (size_t starts = 0; starts < kMostStarts && !queue_.empty() && CanAdmit(); ++starts) {
    if (events_ >= kMostEvents || OutOfTime(deadline_ns) || !Admit(*queue_.front())) return;
  }
}

bool Scheduler::CanAdmit() const {
  if (pool_exhausted_ || live_ >= options_.max_jobs) return false;
  return thread_.max_size() == 0 || thread_.live() < thread_.max_size();
}

bool Scheduler::Admit(ScheduledJob& job) {
  if (job.owns_wait_point_ && !AcquireWaitPoint(job)) {
    RetryPoolLater();
    return false;
  }
  queue_.Remove(&job);
  job.wait_point_->Attach(&job, job.wait_mode_);
  job.Prepare(Job::BlockCheck::kBatched);
  ++live_;
  job.started_ns_ = now_ns_;
  Step(job);
  return !pool_exhausted_;
}

void Scheduler::Step(ScheduledJob& job) {
  job.state_ = ScheduledJob::State::kRunning;
  const bool starting = !job.job_.paused();
  job.ForgetPause();
  running_ = &job;
  job.job_.set_last_of_batch(ready_.empty() && queue_.empty());
  const JobStatus status = job.job_.Run(thread_);
  running_ = nullptr;
  if (status == JobStatus::kNoJobs) {
    ++metrics_.no_jobs;
    --live_;
    job.wait_point_->Detach(job.owns_wait_point_);
    job.state_ = ScheduledJob::State::kQueued;
    queue_.PushFront(&job);
    RetryPoolLater();
    return;
  }
  if (starting) {
    ++metrics_.started;
    metrics_.queue_time.Record(job.started_ns_ - job.submitted_ns_);
    if (tracing_) {
      if (JobOwner* owner = OwnerToTell(job); owner != nullptr) owner->OnStart(job);
    }
  }
  if (status == JobStatus::kPause) {
    if (job.is_program() && job.program_.handed_over()) {
      HandOver(job);
    } else {
      job.seen_pause_ = true;
      ++job.pauses_;
      ++metrics_.pauses;
      if (tracing_) {
        if (JobOwner* owner = OwnerToTell(job); owner != nullptr) owner->OnPause(job);
      }
      if (draining_ && job.is_program()) {
        MakeReady(job);  // the program's next hand-over is its last
      } else {
        AwaitWake(job);
      }
    }
    return;
  }
  Complete(job, status);
}

void Scheduler::HandOver(ScheduledJob& job) {
  ++metrics_.hand_overs;
  job.wait_point_->NoteHandOver();
  if (job.orphaned_ || draining_) {
    job.program_.Continue(Command());
    MakeReady(job);
    return;
  }
  job.state_ = ScheduledJob::State::kHandedOver;
  if (JobOwner* owner = OwnerToTell(job); owner != nullptr) owner->OnHandOver(job);
}

void Scheduler::AwaitWake(ScheduledJob& job) {
  if (job.wait_point_->context().status() == ASYNC_STATUS_ERR) ++metrics_.engine_errors;
  const WaitPoint::Offer offer = job.wait_point_->AwaitWake();
  if (offer == WaitPoint::Offer::kReady) {
    job.state_ = ScheduledJob::State::kWaiting;
    ++waiting_;
    static_cast<WakeTarget&>(job).OnWake(WakeKind::kCallback);
    return;
  }
  job.state_ = ScheduledJob::State::kWaiting;
  ++waiting_;
  if (offer == WaitPoint::Offer::kCallback || offer == WaitPoint::Offer::kFd) return;
  if (offer == WaitPoint::Offer::kUnwatchable && !std::exchange(job.watch_failed_, true)) {
    if (JobOwner* owner = OwnerToTell(job); owner != nullptr) owner->OnUnwatchable(job);
  }
  if (job.attempts_ == 0) {
    ++job.attempts_;
    static_cast<WakeTarget&>(job).OnWake(WakeKind::kPoll);  // at once the first time: the engine may be about to finish
  } else {
    backoff_->Schedule(job.backoff_, job.attempts_++ - 1);
  }
}

void Scheduler::MakeReady(ScheduledJob& job) {
  if (job.state_ == ScheduledJob::State::kWaiting) {
    --waiting_;
    job.wait_point_->StopAwaiting();
    backoff_->Cancel(job.backoff_);
  }
  job.state_ = ScheduledJob::State::kReady;
  ready_.PushBack(&job);
  ScheduleTick();
}

void Scheduler::Complete(ScheduledJob& job, JobStatus status) {
  --live_;
  pool_exhausted_ = false;
  job.wait_point_->NoteEnd();
  job.wait_point_->Detach(job.owns_wait_point_);
  metrics_.run_time.Record(now_ns_ - job.started_ns_);
  metrics_.total_time.Record(now_ns_ - job.submitted_ns_);
  job.status_ = status;
  ++(job.failed() ? metrics_.failed : metrics_.finished);
  if (JobOwner* owner = OwnerToTell(job); owner != nullptr) owner->OnEnd(job);
  if (!job.abandoned_ && !draining_) Unwant();
  Free(job);
}

// --- Scheduler: memory

ScheduledJob& Scheduler::Allocate(const JobRequest& request) {
  ScheduledJob* job = nullptr;
  if (free_jobs_.empty()) {
    job = &jobs_->emplace_back(*this);
  } else {
    job = free_jobs_.back();
    free_jobs_.pop_back();
  }
  job->function_ = request.function == nullptr ? &CommandProgram::Main : request.function;
  try {
    job->SetArgs(request.args, request.args_size);
  } catch (const std::bad_alloc&) {  // arguments may be as large as the user likes
    job->has_args_ = false;
    free_jobs_.push_back(job);
    throw;
  }
  job->wait_point_ = request.wait_point;
  job->owns_wait_point_ = request.wait_point == nullptr;
  job->wait_group_ = request.wait_group != nullptr ? request.wait_group : reinterpret_cast<const void*>(job->function_);
  job->wait_mode_ = request.wait_mode;
  job->owner_ = nullptr;
  job->id_ = kNoJobId;
  job->abandoned_ = false;
  job->watch_failed_ = false;
  job->attempts_ = 0;
  job->pauses_ = 0;
  job->wakeups_ = WakeupCounts();
  job->orphaned_ = false;
  return *job;
}

void Scheduler::Free(ScheduledJob& job) {
  job.owner_ = nullptr;
  job.ClearArgs();
  ReleaseWaitPoint(job);
  job.state_ = ScheduledJob::State::kFree;
  free_jobs_.push_back(&job);
}

bool Scheduler::AcquireWaitPoint(ScheduledJob& job) {
  if (job.own_wait_point_ != nullptr) return true;
  job.own_wait_point_ = wait_points_.Take(job.wait_group_);
  if (job.own_wait_point_ == nullptr) {
    Result<std::unique_ptr<WaitPoint>> created = CreateWaitPoint();
    if (!created.ok()) return false;
    job.own_wait_point_ = std::move(created.value());
  }
  job.wait_point_ = job.own_wait_point_.get();
  job.wait_generation_ = wait_points_.generation();
  return true;
}

// Keeps as many wait points with fds as jobs were ever live at a time.
void Scheduler::ReleaseWaitPoint(ScheduledJob& job) {
  job.wait_point_ = nullptr;
  if (job.own_wait_point_ == nullptr) return;
  wait_points_.Give(std::move(job.own_wait_point_), job.wait_group_, job.wait_generation_, jobs_->size());
}

// --- Scheduler: events, clock and loop

void Scheduler::EnsureUnblocked() {
  if (!probe_context_) {
    Result<WaitContext*> created = WaitContext::Create();
    if (!created.ok()) return;
    probe_context_.reset(created.value());
  }
  thread_.EnsureUnblocked(*probe_context_);
}

// Null when there is none, or nobody is told any more.
JobOwner* Scheduler::OwnerToTell(const ScheduledJob& job) {
  if (job.owner_ == nullptr || draining_) return nullptr;
  ++events_;
  NoteDue(*job.owner_);
  return job.owner_;
}

// JavaScript may run the loop, and so come back here.
void Scheduler::Deliver() {
  events_ = 0;
  for (size_t i = 0; i < targets_.size() && due_ > 0; ++i) {
    if (!std::exchange(targets_[i]->is_due_, false)) continue;
    --due_;
    targets_[i]->OnDelivery();
  }
}

bool Scheduler::OutOfTime(uint64_t deadline_ns) {
  if (++steps_since_clock_ >= kStepsPerClock) {
    steps_since_clock_ = 0;
    now_ns_ = uv_hrtime();
  }
  return now_ns_ >= deadline_ns;
}

bool Scheduler::PoolRetry::OnWake(WakeKind) {
  scheduler_.pool_exhausted_ = false;
  scheduler_.ScheduleTick();
  return true;
}

void Scheduler::RetryPoolLater() {
  pool_exhausted_ = true;
  if (!pool_retry_.entry.linked()) backoff_->Schedule(pool_retry_.entry, 0);
}

void Scheduler::ScheduleTick() {
  if (ticking_ || in_tick_ || draining_) return;
  ticking_ = true;
  uv_idle_start(idle_.get(), [](uv_idle_t*) {});
  uv_check_start(check_.get(),
                 [](uv_check_t* check) { OrDieOfMemory([check] { static_cast<Scheduler*>(check->data)->Tick(); }); });
}

void Scheduler::StopTicking() {
  if (!ticking_) return;
  ticking_ = false;
  uv_idle_stop(idle_.get());
  uv_check_stop(check_.get());
}

void Scheduler::Want() {
  if (wanted_++ == 0) callbacks_->Ref();
}

void Scheduler::Unwant() {
  if (--wanted_ == 0) callbacks_->Unref();
}

}  // namespace openssl_async
