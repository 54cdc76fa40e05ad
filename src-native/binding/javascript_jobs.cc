#include "binding/javascript_jobs.h"

#include <algorithm>
#include <utility>

#include "binding/environment.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

JavaScriptJobs::JavaScriptJobs(Environment& environment)
    : environment_(environment), scheduler_(*environment.scheduler()) {
  scheduler_.AddTarget(*this);
}

// --- Requests of JavaScript

void JavaScriptJobs::Submit(JobRequest& request, JobId id) {
  SetJob(id, nullptr);  // reserves the entry before there is a job
  request.owner = this;
  request.id = id;
  SetJob(id, &scheduler_.Submit(request));
}

void JavaScriptJobs::SetJob(JobId id, ScheduledJob* job) {
  if (id >= by_id_.size()) by_id_.resize(std::max<size_t>(id + 1, by_id_.size() * 2));
  by_id_[id] = job;
}

void JavaScriptJobs::Continue(JobId id, const Command& command) {
  if (ScheduledJob* job = Find(id); job != nullptr) scheduler_.Continue(*job, command);
}

void JavaScriptJobs::Interrupt(JobId id) {
  if (ScheduledJob* job = Find(id); job != nullptr) scheduler_.Interrupt(*job);
}

bool JavaScriptJobs::Abandon(JobId id) {
  ScheduledJob* job = Find(id);
  if (job == nullptr || !scheduler_.Abandon(*job)) return false;
  by_id_[id] = nullptr;
  return true;
}

bool JavaScriptJobs::Release(ScheduledJob* job, JobId id) {
  if (job->job().paused()) SetJob(id, job);
  return scheduler_.ReleaseManual(job, this, id);
}

Error JavaScriptJobs::TakeFailure(JobId id) {
  const auto found = failures_.find(id);
  if (found == failures_.end()) return {};
  Error error = std::move(found->second);
  failures_.erase(found);
  return error;
}

bool JavaScriptJobs::Knows(JobId id) const {
  const auto is_its = [id](const Event& event) { return event.words[EventWord::kId] == static_cast<int32_t>(id); };
  return Find(id) != nullptr || std::any_of(events_.begin(), events_.end(), is_its);
}

Result<void> JavaScriptJobs::Await(WaitPoint& wait_point, JobId id) {
  Result<std::unique_ptr<ManualWait>> wait = scheduler_.Await(wait_point, *this, id);
  if (!wait.ok()) return wait.error();
  waits_[id] = std::move(wait.value());
  return {};
}

void JavaScriptJobs::CancelAwait(JobId id) {
  if (waits_.erase(id) == 0) return;
  const auto is_its = [id](const Event& event) { return event.words[EventWord::kId] == static_cast<int32_t>(id); };
  events_.erase(std::remove_if(events_.begin(), events_.end(), is_its), events_.end());
}

// --- Events of the scheduler

void JavaScriptJobs::Note(const ScheduledJob& job, EventKind kind, int32_t value, int32_t detail) {
  int32_t* words = events_.emplace_back().words;
  words[EventWord::kId] = static_cast<int32_t>(job.id());
  words[EventWord::kKind] = static_cast<int32_t>(kind);
  words[EventWord::kValue] = value;
  words[EventWord::kPauses] = static_cast<int32_t>(job.pauses());
  words[EventWord::kFd] = static_cast<int32_t>(job.wakeups().fd);
  words[EventWord::kCallback] = static_cast<int32_t>(job.wakeups().callback);
  words[EventWord::kPoll] = static_cast<int32_t>(job.wakeups().poll);
  words[EventWord::kDetail] = detail;
}

void JavaScriptJobs::OnEnd(const ScheduledJob& job) {
  by_id_[job.id()] = nullptr;
  const bool failed = job.failed();
  const bool left_errors = job.left_errors();
  if (failed || left_errors) failures_[job.id()] = job.failure();
  Note(job, failed ? EventKind::kFailed : EventKind::kFinished, job.job().return_value(), left_errors ? 1 : 0);
}

void JavaScriptJobs::OnHandOver(ScheduledJob& job) {
  const CommandOutcome& outcome = job.program().outcome();
  Note(job, EventKind::kHandedOver, outcome.ok ? 1 : 0, WaitFdToNumber(outcome.fd));
}

void JavaScriptJobs::OnUnwatchable(ScheduledJob& job) {
  failures_[job.id()] = job.wait_point()->watch_error();
  Note(job, EventKind::kUnwatchable);
}

void JavaScriptJobs::OnResume(ScheduledJob& job, WakeKind kind) {
  Note(job, EventKind::kResumed, static_cast<int32_t>(kind));
}

void JavaScriptJobs::OnAwaited(JobId id, WakeKind kind) {
  Event event = {};
  event.words[EventWord::kId] = static_cast<int32_t>(id);
  event.words[EventWord::kKind] = static_cast<int32_t>(EventKind::kAwaited);
  event.words[EventWord::kValue] = static_cast<int32_t>(kind);
  events_.push_back(event);
}

// --- Events for JavaScript

void JavaScriptJobs::OnDelivery() {
  if (!events_.empty()) Tell();
  environment_.MayBeIdle();
}

void JavaScriptJobs::Tell() {
  if (!waits_.empty()) {
    constexpr auto kAwaited = static_cast<int32_t>(EventKind::kAwaited);
    for (const Event& event : events_) {
      if (event.words[EventWord::kKind] == kAwaited) waits_.erase(static_cast<JobId>(event.words[EventWord::kId]));
    }
  }
  // JavaScript may run the loop, and so come back here.
  std::vector<Event> telling = std::move(told_);
  telling.swap(events_);
  ++telling_;
  environment_.TellEvents(telling.data()->words, telling.size());
  --telling_;
  telling.clear();
  told_ = std::move(telling);
}

void JavaScriptJobs::Close(std::function<void()> done) {
  waits_.clear();
  done();
}

}  // namespace openssl_async
