#include "scheduler/scheduler.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <string>
#include <utility>

#include "base/memory.h"
#include "base/prefetch.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

namespace {

// So many job switches share one reading of the clock.
constexpr unsigned kStepsPerClock = 16;
// So many events at most go to JavaScript at once, so that the memory they need stays in the cache.
constexpr size_t kMostEvents = 1024;
// Of Scheduler::ForgetWaitFds(), whichever scheduler's.
std::atomic<uint32_t> wait_generation{0};

}  // namespace

// --- ManualWait

class Scheduler::ManualWait final : private WakeTarget {
 public:
  ManualWait(Scheduler& scheduler, WaitPoint& wait_point, JobId id)
      : scheduler_(scheduler), wait_point_(wait_point), id_(id) {
    backoff_.target = this;
  }
  ~ManualWait() { Stop(); }

  Result<void> Start() {
    switch (wait_point_.AwaitOnce(this)) {
      case WaitPoint::Offer::kReady:
        OnWake(WakeKind::kCallback);
        break;
      case WaitPoint::Offer::kNothing:
        scheduler_.backoff_->Schedule(backoff_, 0);
        break;
      case WaitPoint::Offer::kUnwatchable:
        return wait_point_.watch_error();
      case WaitPoint::Offer::kCallback:
      case WaitPoint::Offer::kFd:
        break;
    }
    return {};
  }

 private:
  bool OnWake(WakeKind kind) override {
    if (done_) return false;
    done_ = true;
    scheduler_.events_.push_back({id_, JobEvent::Kind::kAwaited, static_cast<int32_t>(kind), 0, {}, 0});
    scheduler_.ScheduleTick();  // which ends us: libuv is in the middle of our fd's callback now
    return true;
  }
  void Stop() {
    scheduler_.backoff_->Cancel(backoff_);
    if (wait_point_.awaited_once()) wait_point_.StopAwaitingOnce();
  }

  Scheduler& scheduler_;
  WaitPoint& wait_point_;
  JobId id_;
  BackoffEntry backoff_;
  bool done_ = false;
};

// --- Scheduler: set-up

Result<std::unique_ptr<Scheduler>> Scheduler::Create(uv_loop_t* loop, Delegate& delegate) {
  std::unique_ptr<Scheduler> scheduler(new Scheduler(loop, delegate));
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

Scheduler::Scheduler(uv_loop_t* loop, Delegate& delegate)
    : loop_(loop),
      delegate_(delegate),
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

// --- Scheduler: what submitters call

void Scheduler::Submit(const JobRequest& request) {
  ScheduledJob& job = Allocate(request);
  SetId(job, request.id);
  job.state_ = ScheduledJob::State::kQueued;
  job.submitted_ns_ = in_tick_ ? now_ns_ : uv_hrtime();
  queue_.PushBack(&job);
  ++metrics_.submitted;
  ++wanted_;
  UpdateKeepAlive();
  ScheduleTick();
}

void Scheduler::Continue(JobId id, const Command& command) {
  ScheduledJob* job = Find(id);
  if (job == nullptr || job->state_ != ScheduledJob::State::kHandedOver) return;
  job->program_.Continue(command);
  MakeReady(*job);
}

void Scheduler::Interrupt(JobId id) {
  ScheduledJob* job = Find(id);
  if (job != nullptr && job->is_program() && job->state_ == ScheduledJob::State::kWaiting) MakeReady(*job);
}

bool Scheduler::Abandon(JobId id) {
  ScheduledJob* job = Find(id);
  if (job == nullptr || job->abandoned_) return false;
  --wanted_;
  UpdateKeepAlive();
  if (job->state_ == ScheduledJob::State::kQueued) {
    queue_.Remove(job);
    ++metrics_.cancelled;
    Free(*job);
    return true;
  }
  job->abandoned_ = true;
  ++metrics_.abandoned;
  return false;
}

Error Scheduler::TakeFailure(JobId id) {
  const auto found = failures_.find(id);
  if (found == failures_.end()) return {};
  Error error = std::move(found->second);
  failures_.erase(found);
  return error;
}

bool Scheduler::Knows(JobId id) const {
  const auto is_its = [id](const JobEvent& event) { return event.id == id; };
  return Find(id) != nullptr || std::any_of(events_.begin(), events_.end(), is_its);
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

bool Scheduler::ReleaseManual(ScheduledJob* job, JobId id) {
  if (!job->job_.paused()) {
    Free(*job);
    return false;
  }
  SetId(*job, id);
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

Result<void> Scheduler::Await(WaitPoint& wait_point, JobId id) {
  auto wait = std::make_unique<ManualWait>(*this, wait_point, id);
  if (Result<void> started = wait->Start(); !started.ok()) return started;
  manual_waits_[id] = std::move(wait);
  ++wanted_;
  UpdateKeepAlive();
  return {};
}

void Scheduler::ExpectTelling(JobId id) {
  manual_waits_[id] = nullptr;
  ++wanted_;
  UpdateKeepAlive();
}

void Scheduler::Tell(JobId id) {
  events_.push_back({id, JobEvent::Kind::kAwaited, 0, 0, {}, 0});
  ScheduleTick();
}

void Scheduler::CancelAwait(JobId id) {
  if (!EndAwait(id)) return;
  const auto is_its = [id](const JobEvent& event) { return event.id == id; };
  events_.erase(std::remove_if(events_.begin(), events_.end(), is_its), events_.end());
}

bool Scheduler::EndAwait(JobId id) {
  if (manual_waits_.erase(id) == 0) return false;
  --wanted_;
  UpdateKeepAlive();
  return true;
}

void Scheduler::RequestDelivery() {
  delivery_requested_ = true;
  ScheduleTick();
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
      RunReady(deadline_ns);
      RunQueued(deadline_ns);
    }
    DeliverEvents();
  } while (HasWork() && !OutOfTime(deadline_ns));
  if (waiting_ > 0) delegate_.OnTurnEnd(!HasWork());
  in_tick_ = false;
  polls_->Hold(!ready_.empty());
  if (!HasWork() && !polls_->busy()) StopTicking();
  if (!queue_.empty() && !CanAdmit() && live_ == 0) RetryPoolLater();
}

// Events and callbacks too: JavaScript, while it is told of some, may cause others.
bool Scheduler::HasWork() const {
  return !ready_.empty() || !events_.empty() || delivery_requested_ || (!queue_.empty() && CanAdmit());
}

void Scheduler::RunReady(uint64_t deadline_ns) {
  // Those that become ready meanwhile have their turn after the events were delivered.
  for (size_t turns = ready_.size(); turns > 0 && !ready_.empty(); --turns) {
    if (events_.size() >= kMostEvents || OutOfTime(deadline_ns)) return;
    ScheduledJob& job = *ready_.PopFront();
    if (ScheduledJob* next = ready_.front(); next != nullptr) {
      Prefetch(next->wait_point_);
      Prefetch(ready_.Next(next));
    }
    Step(job);
  }
}

void Scheduler::RunQueued(uint64_t deadline_ns) {
  while (!queue_.empty() && CanAdmit() && events_.size() < kMostEvents && !OutOfTime(deadline_ns)) {
    if (!Admit(*queue_.front())) return;
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
  running_ = job.id_;
  const JobStatus status = job.job_.Run(thread_);
  running_ = kNoJobId;
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
    if (tracing_) Emit(job, JobEvent::Kind::kStarted, 0);
  }
  if (status == JobStatus::kPause) {
    if (job.is_program() && job.program_.handed_over()) {
      HandOver(job);
    } else {
      job.seen_pause_ = true;
      ++job.pauses_;
      ++metrics_.pauses;
      if (tracing_) Emit(job, JobEvent::Kind::kPaused, 0);
      if (draining_ && job.is_program()) {
        MakeReady(job);  // for its next hand-over, its last
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
  Emit(job, JobEvent::Kind::kHandedOver, job.program_.outcome().ok ? 1 : 0, WaitFdToNumber(job.program_.outcome().fd));
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
  if (offer == WaitPoint::Offer::kUnwatchable && !job.watch_failed_ && job.id_ != kNoJobId) {
    job.watch_failed_ = true;
    failures_[job.id_] = job.wait_point_->watch_error();
    Emit(job, JobEvent::Kind::kUnwatchable, 0);
  }
  if (job.attempts_ == 0) {
    ++job.attempts_;
    static_cast<WakeTarget&>(job).OnWake(WakeKind::kPoll);  // once at once, as the engine may have been about to finish
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
  const bool failed = status == JobStatus::kError || job.job_.exception() != nullptr;
  ++(failed ? metrics_.failed : metrics_.finished);
  if (job.id_ != kNoJobId && !draining_) {
    const bool has_errors = !job.job_.errors().empty();
    if (status == JobStatus::kError) {
      failures_[job.id_] = {"ERR_ASYNC_JOB_FAILED", "OpenSSL could not run the job", job.job_.errors().Lines()};
    } else if (failed) {
      failures_[job.id_] = {"ERR_ASYNC_NATIVE_EXCEPTION", *job.job_.exception(), job.job_.errors().Lines()};
    } else if (has_errors) {
      failures_[job.id_] = {"", "", job.job_.errors().Lines()};
    }
    Emit(job, failed ? JobEvent::Kind::kFailed : JobEvent::Kind::kFinished, job.job_.return_value(),
         has_errors ? 1 : 0);
    if (!job.abandoned_) --wanted_;
    UpdateKeepAlive();
  }
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
  } catch (const std::bad_alloc&) {  // they may be as large as the user likes
    job->has_args_ = false;
    free_jobs_.push_back(job);
    throw;
  }
  job->wait_point_ = request.wait_point;
  job->owns_wait_point_ = request.wait_point == nullptr;
  job->wait_owner_ = request.wait_owner != nullptr ? request.wait_owner : reinterpret_cast<const void*>(job->function_);
  job->wait_mode_ = request.wait_mode;
  job->id_ = kNoJobId;
  job->abandoned_ = false;
  job->watch_failed_ = false;
  job->attempts_ = 0;
  job->pauses_ = 0;
  job->wakeups_ = WakeupCounts();
  job->orphaned_ = false;
  return *job;
}

void Scheduler::SetId(ScheduledJob& job, JobId id) {
  job.id_ = id;
  if (id == kNoJobId) return;
  if (id >= by_id_.size()) by_id_.resize(std::max<size_t>(id + 1, by_id_.size() * 2));
  by_id_[id] = &job;
}

void Scheduler::Free(ScheduledJob& job) {
  if (job.id_ != kNoJobId) by_id_[job.id_] = nullptr;
  job.id_ = kNoJobId;
  job.ClearArgs();
  ReleaseWaitPoint(job);
  job.state_ = ScheduledJob::State::kFree;
  free_jobs_.push_back(&job);
}

ScheduledJob* Scheduler::Find(JobId id) const { return id < by_id_.size() ? by_id_[id] : nullptr; }

bool Scheduler::AcquireWaitPoint(ScheduledJob& job) {
  if (job.own_wait_point_ != nullptr) return true;
  DropForgottenFds();
  const auto take = [&job](std::vector<std::unique_ptr<WaitPoint>>& from) {
    if (from.empty()) return false;
    job.own_wait_point_ = std::move(from.back());
    from.pop_back();
    return true;
  };
  const auto kept =
      wait_points_with_fds_.empty() ? wait_points_with_fds_.end() : wait_points_with_fds_.find(job.wait_owner_);
  const bool is_kept = kept != wait_points_with_fds_.end() && take(kept->second);
  if (is_kept) {
    --kept_with_fds_;
    if (kept->second.empty()) wait_points_with_fds_.erase(kept);
  } else if (!take(free_wait_points_)) {
    Result<std::unique_ptr<WaitPoint>> created = CreateWaitPoint();
    if (!created.ok()) return false;
    job.own_wait_point_ = std::move(created.value());
  }
  job.wait_point_ = job.own_wait_point_.get();
  job.wait_generation_ = wait_generation_;
  return true;
}

void Scheduler::ReleaseWaitPoint(ScheduledJob& job) {
  job.wait_point_ = nullptr;
  std::unique_ptr<WaitPoint> wait_point = std::move(job.own_wait_point_);
  if (wait_point == nullptr) return;
  if (!wait_point->context().HasFds()) {
    free_wait_points_.push_back(std::move(wait_point));
  } else if (job.wait_generation_ == wait_generation.load(std::memory_order_acquire)) {
    wait_points_with_fds_[job.wait_owner_].push_back(std::move(wait_point));
    if (++kept_with_fds_ > jobs_->size()) DropOneWithFds(job.wait_owner_);
  }
}

// There are more than jobs were ever live at a time: one of another owner, who may not come back, if there is any.
void Scheduler::DropOneWithFds(const void* owner) {
  auto victim = wait_points_with_fds_.begin();
  if (victim->first == owner && wait_points_with_fds_.size() > 1) ++victim;
  victim->second.pop_back();
  if (victim->second.empty()) wait_points_with_fds_.erase(victim);
  --kept_with_fds_;
}

void Scheduler::ForgetWaitFds() {
  wait_generation.fetch_add(1, std::memory_order_acq_rel);
  DropForgottenFds();
}

void Scheduler::DropForgottenFds() {
  const uint32_t current = wait_generation.load(std::memory_order_acquire);
  if (current == std::exchange(wait_generation_, current)) return;
  wait_points_with_fds_.clear();
  kept_with_fds_ = 0;
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

void Scheduler::Emit(ScheduledJob& job, JobEvent::Kind kind, int32_t value, int32_t detail) {
  if (job.id_ == kNoJobId || draining_) return;
  events_.push_back({job.id_, kind, value, job.pauses_, job.wakeups_, detail});
}

void Scheduler::DeliverEvents() {
  if (std::exchange(delivery_requested_, false)) delegate_.OnDelivery();
  if (events_.empty()) return;
  for (const JobEvent& event : events_) {
    if (event.kind == JobEvent::Kind::kAwaited) EndAwait(event.id);
  }
  // JavaScript may run the loop, and so come back here.
  std::vector<JobEvent> delivering = std::move(delivered_);
  delivering.swap(events_);
  delegate_.OnEvents(delivering.data(), delivering.size());
  delivering.clear();
  delivered_ = std::move(delivering);
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

void Scheduler::UpdateKeepAlive() {
  const bool keep = wanted_ > 0;
  if (keep == keeping_alive_) return;
  keeping_alive_ = keep;
  if (keep) {
    callbacks_->Ref();
  } else {
    callbacks_->Unref();
  }
}

// --- Scheduler: teardown

size_t Scheduler::Drain(uint64_t timeout_ms) {
  const JobBatch batch(thread_);
  draining_ = true;
  StopTicking();
  while (ScheduledJob* job = queue_.front()) {
    queue_.Remove(job);
    Free(*job);
  }
  for (ScheduledJob& job : *jobs_) {
    if (job.state_ == ScheduledJob::State::kManual && job.job_.paused()) ReleaseManual(&job, kNoJobId);
    if (job.is_program() && job.state_ == ScheduledJob::State::kHandedOver) {
      job.program_.Continue(Command());
      MakeReady(job);
    } else if (job.is_program() && job.state_ == ScheduledJob::State::kWaiting) {
      MakeReady(job);
    }
  }
  const uint64_t deadline_ns = uv_hrtime() + timeout_ms * 1'000'000;
  while (live_ > 0) {
    callbacks_->Deliver();
    uv_update_time(loop_);
    backoff_->FireDue();
    for (size_t turns = ready_.size(); turns > 0; --turns) Step(*ready_.PopFront());
    now_ns_ = uv_hrtime();
    if (live_ == 0 || now_ns_ >= deadline_ns) break;
    delegate_.OnTurnEnd(ready_.empty());
    if (ready_.empty()) WaitWithoutLoop();
  }
  events_.clear();
  return live_;
}

void Scheduler::WaitWithoutLoop() {
  std::vector<WaitFd> fds;
  std::vector<ScheduledJob*> waiting;
  for (ScheduledJob& job : *jobs_) {
    if (job.state_ != ScheduledJob::State::kWaiting || !job.wait_point_->awaiting_fds()) continue;
    for (const WaitFd fd : job.wait_point_->context().Fds()) {
      fds.push_back(fd);
      waiting.push_back(&job);
    }
  }
  const std::vector<bool> readable = WaitReadable(fds, 1);
  for (size_t i = 0; i < fds.size(); ++i) {
    if (readable[i]) static_cast<WakeTarget*>(waiting[i])->OnWake(WakeKind::kFd);
  }
}

void Scheduler::Close(std::function<void()> done) {
  StopTicking();
  manual_waits_.clear();
  if (backoff_) backoff_->Cancel(pool_retry_.entry);
  for (ScheduledJob& job : *jobs_) {
    if (!job.job_.paused()) continue;
    backoff_->Cancel(job.backoff_);
    if (job.linked()) ready_.Remove(&job);
    job.wait_point_->Abandon();
  }
  for (ScheduledJob& job : *jobs_) job.own_wait_point_.reset();
  free_wait_points_.clear();
  wait_points_with_fds_.clear();
  kept_with_fds_ = 0;
  if (live_ > 0) {
    // The functions of abandoned jobs are still in the middle of using their arguments.
    static auto* kept = new std::vector<std::unique_ptr<std::deque<ScheduledJob>>>();
    static auto* mutex = new std::mutex();
    const std::lock_guard<std::mutex> lock(*mutex);
    kept->push_back(std::move(jobs_));
  }
  jobs_.reset();
  check_.reset();
  idle_.reset();
  backoff_.reset();
  polls_.reset();
  if (callbacks_ != nullptr) callbacks_->Retire();
  open_->WhenAllClosed(std::move(done));
}

}  // namespace openssl_async
