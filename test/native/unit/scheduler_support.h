// What the tests of the scheduler share: one on a loop of its own, and functions of jobs that wait in all ways.
#pragma once

#include <openssl/err.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "scheduler/scheduler.h"
#include "support.h"

namespace openssl_async::testing {

// What an owner was told.
struct JobEvent {
  enum class Kind { kFinished, kFailed, kHandedOver, kUnwatchable, kStarted, kPaused, kResumed, kAwaited };
  JobId id = kNoJobId;
  Kind kind = Kind::kFinished;
  int value = 0;  // the return value, or a WakeKind
  uint32_t pauses = 0;
  WakeupCounts wakeups;
  Error error;  // why it failed, or what it left behind
};

// A scheduler on a loop of its own, in a thread of its own: OpenSSL's pool belongs to the thread. It owns the jobs.
class TestScheduler : public JobOwner {
 public:
  TestScheduler() {
    Result<std::unique_ptr<Scheduler>> created = Scheduler::Create(loop.get());
    REQUIRE(created.ok());
    scheduler_ = std::move(created.value());
    scheduler_->AddTarget(*this);
  }
  ~TestScheduler() {
    waits.clear();
    if (!drained) left = scheduler_->Drain(5000);
    bool closed = false;
    scheduler_->Close([&closed] { closed = true; });
    CHECK(loop.RunUntil([&closed] { return closed; }));
  }
  TestScheduler(const TestScheduler&) = delete;
  TestScheduler& operator=(const TestScheduler&) = delete;

  Scheduler* operator->() { return scheduler_.get(); }

  void OnEnd(const ScheduledJob& job) override {
    Note(job, job.failed() ? JobEvent::Kind::kFailed : JobEvent::Kind::kFinished, job.job().return_value());
    noted_.back().error = job.failure();
    jobs_.erase(job.id());
  }
  void OnHandOver(ScheduledJob& job) override { Note(job, JobEvent::Kind::kHandedOver); }
  void OnUnwatchable(ScheduledJob& job) override {
    Note(job, JobEvent::Kind::kUnwatchable);
    noted_.back().error = job.wait_point()->watch_error();
  }
  void OnStart(ScheduledJob& job) override { Note(job, JobEvent::Kind::kStarted); }
  void OnPause(ScheduledJob& job) override { Note(job, JobEvent::Kind::kPaused); }
  void OnResume(ScheduledJob& job, WakeKind kind) override {
    Note(job, JobEvent::Kind::kResumed, static_cast<int>(kind));
  }
  void OnAwaited(JobId id, WakeKind kind) override {
    JobEvent event;
    event.id = id;
    event.kind = JobEvent::Kind::kAwaited;
    event.value = static_cast<int>(kind);
    noted_.push_back(event);
  }
  void OnDelivery() override {
    ++batches;
    largest_batch = std::max(largest_batch, noted_.size());
    for (const JobEvent& event : std::exchange(noted_, {})) {
      events.push_back(event);
      if (event.kind == JobEvent::Kind::kAwaited) waits.erase(event.id);
      if (event.kind == JobEvent::Kind::kFinished || event.kind == JobEvent::Kind::kFailed) {
        ++ends;
        returned[event.id] = event.value;
      }
      if (on_event) on_event(event);
    }
  }

  void Submit(JobId id, JobFunction function, void* args = nullptr) {
    JobRequest request;
    request.owner = this;
    request.id = id;
    request.function = function;
    // The job gets a copy of the pointer.
    pointers_[id] = args;
    request.args = args == nullptr ? nullptr : &pointers_[id];
    request.args_size = sizeof(void*);
    jobs_[id] = &scheduler_->Submit(request);
  }
  ScheduledJob& Job(JobId id) { return *jobs_.at(id); }
  bool Await(WaitPoint& wait_point, JobId id) {
    Result<std::unique_ptr<ManualWait>> wait = scheduler_->Await(wait_point, *this, id);
    if (!wait.ok()) return false;
    waits[id] = std::move(wait.value());
    return true;
  }
  bool RunUntilEnded(size_t count) {
    return loop.RunUntil([&] { return ends >= count; });
  }
  size_t Count(JobEvent::Kind kind) const {
    size_t count = 0;
    for (const JobEvent& event : events) count += event.kind == kind ? 1 : 0;
    return count;
  }

  TestLoop loop;
  std::vector<JobEvent> events;
  std::map<JobId, int> returned;
  std::map<JobId, std::unique_ptr<ManualWait>> waits;
  size_t ends = 0;
  size_t batches = 0;
  size_t largest_batch = 0;
  size_t left = 0;
  bool drained = false;
  std::function<void(const JobEvent&)> on_event;

 private:
  void Note(const ScheduledJob& job, JobEvent::Kind kind, int value = 0) {
    noted_.push_back({job.id(), kind, value, job.pauses(), job.wakeups(), {}});
  }

  std::vector<JobEvent> noted_;
  std::map<JobId, ScheduledJob*> jobs_;
  std::map<JobId, void*> pointers_;
  std::unique_ptr<Scheduler> scheduler_;
};

template <typename T>
T& ArgsOf(void* args) {
  return **static_cast<T**>(args);
}

inline void CallBack() {
  ASYNC_callback_fn callback = nullptr;
  void* argument = nullptr;
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  if (ASYNC_WAIT_CTX_get_callback(context, &callback, &argument) == 1 && callback != nullptr) callback(argument);
}

inline int Empty(void*) { return 1; }
inline int ReturnNumber(void* args) { return ArgsOf<int>(args); }
inline int PauseWithoutNotification(void*) {
  ASYNC_pause_job();
  return 1;
}
inline int SelfWake(void*) {
  CallBack();
  ASYNC_pause_job();
  return 1;
}
inline int RunForEver(void* args) {
  auto& stop = ArgsOf<std::atomic<bool>>(args);
  while (!stop) {
    CallBack();
    ASYNC_pause_job();
  }
  return 1;
}
inline int Throw(void*) { throw std::runtime_error("out of a job"); }
inline int LeaveError(void*) {
  ERR_raise(ERR_LIB_USER, 123);
  return 0;
}
inline int LeaveBlocked(void*) {
  ASYNC_block_pause();
  return 1;
}

// A job that waits for an fd until it was woken so many times.
struct FdWaiter {
  int fd = -1;
  int times = 1;
  std::atomic<bool> paused{false};
};
inline int WaitForFd(void* args) {
  auto& self = ArgsOf<FdWaiter>(args);
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  ASYNC_WAIT_CTX_set_wait_fd(context, &self, self.fd, nullptr, nullptr);
  for (int woken = 0; woken < self.times;) {
    self.paused = true;
    ASYNC_pause_job();
    eventfd_t count = 0;
    if (read(self.fd, &count, sizeof(count)) == sizeof(count)) ++woken;
  }
  ASYNC_WAIT_CTX_clear_fd(context, &self);
  return self.times;
}

// A job that another thread calls back.
struct CallbackWaiter {
  std::atomic<bool> done{false};
  ASYNC_callback_fn callback = nullptr;
  void* argument = nullptr;
  std::atomic<bool> ready{false};
};
inline int WaitForCallback(void* args) {
  auto& self = ArgsOf<CallbackWaiter>(args);
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  ASYNC_WAIT_CTX_get_callback(context, &self.callback, &self.argument);
  ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_OK);
  self.ready = true;
  while (!self.done) ASYNC_pause_job();
  return 1;
}

struct AgainTimes {
  int times = 3;
  int status = ASYNC_STATUS_EAGAIN;
};
inline int PauseWithStatus(void* args) {
  auto& self = ArgsOf<AgainTimes>(args);
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  for (int i = 0; i < self.times; ++i) {
    ASYNC_WAIT_CTX_set_status(context, self.status);
    ASYNC_pause_job();
  }
  ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_UNSUPPORTED);
  return 1;
}

inline int NonBlockingEventFd() { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// As an engine keeps an fd: made readable before the pause, found again by the next job with the same wait context.
struct KeptFd {
  UniqueFd fd{NonBlockingEventFd()};
  std::atomic<bool> is_done{true};
  int attached = 0;
  int cleaned_up = 0;
};

inline int PauseWithKeptFd(void* args) {
  auto& self = ArgsOf<KeptFd>(args);
  static const char key = 0;
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  OSSL_ASYNC_FD fd = OSSL_BAD_ASYNC_FD;
  void* custom = nullptr;
  if (ASYNC_WAIT_CTX_get_fd(context, &key, &fd, &custom) != 1) {
    ++self.attached;
    const auto clean_up = [](ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD, void* kept) {
      ++static_cast<KeptFd*>(kept)->cleaned_up;
    };
    ASYNC_WAIT_CTX_set_wait_fd(context, &key, self.fd.get(), &self, clean_up);
  }
  if (self.is_done) eventfd_write(self.fd.get(), 1);
  do {
    ASYNC_pause_job();
  } while (!self.is_done);
  eventfd_t count = 0;
  eventfd_read(self.fd.get(), &count);
  return 1;
}

}  // namespace openssl_async::testing
