// The end of a scheduler: jobs are driven to their end without the loop, then handles are closed.
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "scheduler/scheduler.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

size_t Scheduler::Drain(uint64_t timeout_ms) {
  const JobBatch batch(thread_);
  draining_ = true;
  StopTicking();
  while (ScheduledJob* job = queue_.front()) {
    queue_.Remove(job);
    Free(*job);
  }
  for (ScheduledJob& job : *jobs_) {
    if (job.state_ == ScheduledJob::State::kManual && job.job_.paused()) ReleaseManual(&job, nullptr, kNoJobId);
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
    if (turn_observer_ != nullptr) turn_observer_->OnTurnEnd(ready_.empty());
    if (ready_.empty()) WaitWithoutLoop();
  }
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
  if (backoff_) backoff_->Cancel(pool_retry_.entry);
  for (ScheduledJob& job : *jobs_) {
    if (!job.job_.paused()) continue;
    backoff_->Cancel(job.backoff_);
    if (job.linked()) ready_.Remove(&job);
    job.wait_point_->Abandon();
  }
  for (ScheduledJob& job : *jobs_) job.own_wait_point_.reset();
  wait_points_.Clear();
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
