#include "scheduler/scheduler.h"

#include <openssl/err.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "support.h"

namespace openssl_async::testing {

namespace {

using Kind = JobEvent::Kind;

// A scheduler on a loop of its own, in a thread of its own: OpenSSL's pool belongs to the thread.
class TestScheduler : public Scheduler::Delegate {
 public:
  TestScheduler() {
    Result<std::unique_ptr<Scheduler>> created = Scheduler::Create(loop.get(), *this);
    REQUIRE(created.ok());
    scheduler_ = std::move(created.value());
  }
  ~TestScheduler() {
    if (!drained) left = scheduler_->Drain(5000);
    bool closed = false;
    scheduler_->Close([&closed] { closed = true; });
    CHECK(loop.RunUntil([&closed] { return closed; }));
  }
  TestScheduler(const TestScheduler&) = delete;
  TestScheduler& operator=(const TestScheduler&) = delete;

  Scheduler* operator->() { return scheduler_.get(); }

  void OnEvents(const JobEvent* first, size_t count) override {
    ++batches;
    largest_batch = std::max(largest_batch, count);
    for (const JobEvent* event = first; event != first + count; ++event) {
      events.push_back(*event);
      if (event->kind == Kind::kFinished || event->kind == Kind::kFailed) {
        ++ends;
        returned[event->id] = event->value;
      }
      if (on_event) on_event(*event);
    }
  }
  void OnTurnEnd(bool) override {}
  void OnDelivery() override {
    ++deliveries;
    if (on_delivery) on_delivery();
  }

  void Submit(JobId id, JobFunction function, void* args = nullptr) {
    JobRequest request;
    request.id = id;
    request.function = function;
    // The job gets a copy of the pointer.
    pointers_[id] = args;
    request.args = args == nullptr ? nullptr : &pointers_[id];
    request.args_size = sizeof(void*);
    scheduler_->Submit(request);
  }
  bool RunUntilEnded(size_t count) {
    return loop.RunUntil([&] { return ends >= count; });
  }
  size_t Count(Kind kind) const {
    size_t count = 0;
    for (const JobEvent& event : events) count += event.kind == kind ? 1 : 0;
    return count;
  }

  TestLoop loop;
  std::vector<JobEvent> events;
  std::map<JobId, int> returned;
  size_t ends = 0;
  size_t batches = 0;
  size_t largest_batch = 0;
  size_t deliveries = 0;
  size_t left = 0;
  bool drained = false;
  std::function<void(const JobEvent&)> on_event;
  std::function<void()> on_delivery;

 private:
  std::map<JobId, void*> pointers_;
  std::unique_ptr<Scheduler> scheduler_;
};

template <typename T>
T& ArgsOf(void* args) {
  return **static_cast<T**>(args);
}

void CallBack() {
  ASYNC_callback_fn callback = nullptr;
  void* argument = nullptr;
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  if (ASYNC_WAIT_CTX_get_callback(context, &callback, &argument) == 1 && callback != nullptr) callback(argument);
}

int Empty(void*) { return 1; }
int ReturnNumber(void* args) { return ArgsOf<int>(args); }
int PauseWithoutNotification(void*) {
  ASYNC_pause_job();
  return 1;
}
int SelfWake(void*) {
  CallBack();
  ASYNC_pause_job();
  return 1;
}
int RunForEver(void* args) {
  auto& stop = ArgsOf<std::atomic<bool>>(args);
  while (!stop) {
    CallBack();
    ASYNC_pause_job();
  }
  return 1;
}
int Throw(void*) { throw std::runtime_error("out of a job"); }
int LeaveError(void*) {
  ERR_raise(ERR_LIB_USER, 123);
  return 0;
}
int LeaveBlocked(void*) {
  ASYNC_block_pause();
  return 1;
}

// A job that waits for an fd until it was woken so many times.
struct FdWaiter {
  int fd = -1;
  int times = 1;
  std::atomic<bool> paused{false};
};
int WaitForFd(void* args) {
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
int WaitForCallback(void* args) {
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
int PauseWithStatus(void* args) {
  auto& self = ArgsOf<AgainTimes>(args);
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  for (int i = 0; i < self.times; ++i) {
    ASYNC_WAIT_CTX_set_status(context, self.status);
    ASYNC_pause_job();
  }
  ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_UNSUPPORTED);
  return 1;
}

int NonBlockingEventFd() { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// As an engine keeps an fd: made readable before the pause, found again by the next job with the same wait context.
struct KeptFd {
  UniqueFd fd{NonBlockingEventFd()};
  std::atomic<bool> is_done{true};
  int attached = 0;
  int cleaned_up = 0;
};

int PauseWithKeptFd(void* args) {
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

}  // namespace

TEST_SUITE("scheduler") {
  TEST_CASE("leaves nothing open when the system has no room for it, and can be made later") {
    InThreadOfItsOwn([] {
      TestLoop loop;  // which must close
      class NoDelegate final : public Scheduler::Delegate {
        void OnEvents(const JobEvent*, size_t) override {}
        void OnTurnEnd(bool) override {}
        void OnDelivery() override {}
      } delegate;
      rlimit before = {};
      REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
      const rlimit none = {0, before.rlim_max};
      REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
      const Result<std::unique_ptr<Scheduler>> refused = Scheduler::Create(loop.get(), delegate);
      REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
      REQUIRE_FALSE(refused.ok());
      CHECK(std::string(refused.error().code) == "ERR_ASYNC_LOOP");
      Result<std::unique_ptr<Scheduler>> created = Scheduler::Create(loop.get(), delegate);
      REQUIRE(created.ok());
      Scheduler::Discard(std::move(created.value()));
    });
  }

  TEST_CASE("closing an unused scheduler closes all of its handles") {
    InThreadOfItsOwn([&] { const TestScheduler scheduler; });
  }

  TEST_CASE("jobs start in the order of submission, from the loop, and their ends come in batches") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      constexpr JobId kJobs = 500;
      int numbers[kJobs];
      for (JobId id = 0; id < kJobs; ++id) {
        numbers[id] = static_cast<int>(id) * 3;
        scheduler.Submit(id, &ReturnNumber, &numbers[id]);
      }
      CHECK(scheduler->queued() == kJobs);
      CHECK(scheduler.events.empty());
      REQUIRE(scheduler.RunUntilEnded(kJobs));
      for (JobId id = 0; id < kJobs; ++id) {
        CHECK(scheduler.events[id].id == id);
        CHECK(scheduler.returned[id] == numbers[id]);
      }
      CHECK(scheduler.largest_batch > 1);
      CHECK(scheduler.largest_batch <= 1024);
      CHECK(scheduler->live() == 0);
      CHECK(scheduler->metrics().finished == kJobs);
      CHECK(scheduler->metrics().total_time.count() == kJobs);
    });
  }

  TEST_CASE("a job is woken by a callback on the same thread before it pauses") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      for (JobId id = 0; id < 100; ++id) scheduler.Submit(id, &SelfWake);
      REQUIRE(scheduler.RunUntilEnded(100));
      CHECK(scheduler->metrics().callback_wakeups == 100);
      CHECK(scheduler->metrics().pauses == 100);
      CHECK(scheduler.events[0].wakeups.callback == 1);
      CHECK(scheduler.events[0].pauses == 1);
    });
  }

  TEST_CASE("a job is woken by its fd, as often as it asks") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      const UniqueFd fd(NonBlockingEventFd());
      FdWaiter waiter;
      waiter.fd = fd.get();
      waiter.times = 5;
      scheduler.Submit(0, &WaitForFd, &waiter);
      for (int i = 0; i < 5; ++i) {
        REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
        CHECK(scheduler.ends == 0);
        REQUIRE(eventfd_write(fd.get(), 1) == 0);
        REQUIRE(
            scheduler.loop.RunUntil([&] { return scheduler->metrics().fd_wakeups == static_cast<uint64_t>(i + 1); }));
        scheduler.loop.Turn(3);
      }
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(scheduler.events.back().wakeups.fd == 5);
    });
  }

  TEST_CASE("jobs are woken by callbacks on another thread") {
    InThreadOfItsOwn([&] {
      constexpr JobId kJobs = 200;
      std::vector<CallbackWaiter> waiters(kJobs);
      TestScheduler scheduler;
      for (JobId id = 0; id < kJobs; ++id) scheduler.Submit(id, &WaitForCallback, &waiters[id]);
      std::thread device([&] {
        for (CallbackWaiter& waiter : waiters) {
          while (!waiter.ready) std::this_thread::yield();
          waiter.done = true;
          waiter.callback(waiter.argument);
        }
      });
      CHECK(scheduler.RunUntilEnded(kJobs));
      device.join();
      CHECK(scheduler->metrics().finished == kJobs);
      CHECK(scheduler->metrics().poll_wakeups == 0);
    });
  }

  TEST_CASE("jobs that notify nobody, or ask to be tried again, are tried after a while") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      AgainTimes again;
      AgainTimes error{2, ASYNC_STATUS_ERR};
      scheduler.Submit(0, &PauseWithoutNotification);
      scheduler.Submit(1, &PauseWithStatus, &again);
      scheduler.Submit(2, &PauseWithStatus, &error);
      REQUIRE(scheduler.RunUntilEnded(3));
      CHECK(scheduler->metrics().poll_wakeups == 6);
      CHECK(scheduler->metrics().engine_errors == 2);
    });
  }

  TEST_CASE("an fd that an engine keeps in a wait context is offered by no job of another's") {
    InThreadOfItsOwn([&] {
      KeptFd kept;
      TestScheduler scheduler;
      scheduler.Submit(0, &PauseWithKeptFd, &kept);
      REQUIRE(scheduler.RunUntilEnded(1));
      scheduler.Submit(1, &PauseWithoutNotification);  // would wait for ever for that fd
      REQUIRE(scheduler.RunUntilEnded(2));
      CHECK(scheduler->metrics().fd_wakeups == 1);
      CHECK(scheduler->metrics().poll_wakeups == 1);
      scheduler.Submit(2, &PauseWithKeptFd, &kept);
      REQUIRE(scheduler.RunUntilEnded(3));
      CHECK(kept.attached == 1);
      CHECK(kept.cleaned_up == 0);
    });
  }

  TEST_CASE("fds that engines keep are closed when they are to be forgotten, those in use at their job's end") {
    InThreadOfItsOwn([&] {
      KeptFd idle;
      KeptFd busy;
      TestScheduler scheduler;
      busy.is_done = false;
      scheduler.Submit(0, &PauseWithKeptFd, &busy);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
      scheduler.Submit(1, &PauseWithKeptFd, &idle);
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(scheduler->waiting() == 1);
      scheduler->ForgetWaitFds();
      CHECK(idle.cleaned_up == 1);
      CHECK(busy.cleaned_up == 0);
      busy.is_done = true;
      REQUIRE(eventfd_write(busy.fd.get(), 1) == 0);
      REQUIRE(scheduler.RunUntilEnded(2));
      CHECK(busy.cleaned_up == 1);
    });
  }

  TEST_CASE("a job whose fd cannot be watched is told of once, and driven to its end") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      UniqueFd fd(NonBlockingEventFd());
      static int number;
      number = fd.get();
      fd.reset();
      std::string code;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind == Kind::kUnwatchable) code = scheduler->TakeFailure(event.id).code;
      };
      scheduler.Submit(0, [](void*) {
        ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
        ASYNC_WAIT_CTX_set_wait_fd(context, &number, number, nullptr, nullptr);
        for (int i = 0; i < 4; ++i) ASYNC_pause_job();
        ASYNC_WAIT_CTX_clear_fd(context, &number);
        return 9;
      });
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(code == "ERR_ASYNC_INVALID_FD");
      CHECK(scheduler.Count(Kind::kUnwatchable) == 1);
      CHECK(scheduler.returned[0] == 9);
    });
  }

  TEST_CASE("an exception fails the job, errors that are left in the queue do not") {
    InThreadOfItsOwn([&] {
      ERR_clear_error();
      ERR_raise(ERR_LIB_USER, 77);
      TestScheduler scheduler;
      scheduler.Submit(0, &Throw);
      scheduler.Submit(1, &LeaveError);
      scheduler.Submit(2, &Empty);
      REQUIRE(scheduler.RunUntilEnded(3));
      CHECK(scheduler.events[0].kind == Kind::kFailed);
      const Error failure = scheduler->TakeFailure(0);
      CHECK(std::string(failure.code) == "ERR_ASYNC_NATIVE_EXCEPTION");
      CHECK(failure.message == "out of a job");
      CHECK(scheduler.events[1].kind == Kind::kFinished);
      CHECK(scheduler.events[1].detail == 1);
      CHECK(scheduler->TakeFailure(1).openssl_errors.size() == 1);
      CHECK(scheduler->TakeFailure(1).openssl_errors.empty());
      CHECK(scheduler.events[2].detail == 0);
      CHECK(scheduler->metrics().failed == 1);
      CHECK(ERR_GET_REASON(ERR_get_error()) == 77);
      CHECK(ERR_peek_error() == 0);
    });
  }

  TEST_CASE("no more jobs live than may, in the limit's order or the pool's") {
    for (const bool by_pool : {false, true}) {
      CAPTURE(by_pool);
      InThreadOfItsOwn([&] {
        if (by_pool) REQUIRE(JobThread::Current().Init(3, 0).ok());
        TestScheduler scheduler;
        if (!by_pool) {
          SchedulerOptions options;
          options.max_jobs = 3;
          scheduler->Configure(options);
        }
        scheduler->SetTracing(true);
        for (JobId id = 0; id < 50; ++id) scheduler.Submit(id, &PauseWithoutNotification);
        REQUIRE(scheduler.RunUntilEnded(50));
        size_t live = 0;
        size_t most = 0;
        JobId next = 0;
        for (const JobEvent& event : scheduler.events) {
          if (event.kind == Kind::kFinished) --live;
          if (event.kind != Kind::kStarted) continue;
          CHECK(event.id == next++);
          most = std::max(most, ++live);
        }
        CHECK(most == 3);
        CHECK(next == 50);
        CHECK(scheduler.Count(Kind::kPaused) == 50);
        CHECK(scheduler.Count(Kind::kResumed) == 50);
      });
    }
  }

  TEST_CASE("jobs queue while somebody else holds the whole pool, and run when it is free") {
    InThreadOfItsOwn([&] {
      REQUIRE(JobThread::Current().Init(1, 0).ok());
      const std::unique_ptr<WaitContext> context = NewWaitContext();
      Job other;
      other.Prepare(
          context.get(), [](void*) { return ASYNC_pause_job(); }, nullptr, Job::BlockCheck::kAtEnd);
      REQUIRE(RunOnce(other) == JobStatus::kPause);
      TestScheduler scheduler;
      for (JobId id = 0; id < 3; ++id) scheduler.Submit(id, &SelfWake);
      scheduler.loop.Turn(20);
      CHECK(scheduler.ends == 0);
      CHECK(scheduler->queued() == 3);
      REQUIRE(RunOnce(other) == JobStatus::kFinish);
      CHECK(scheduler.RunUntilEnded(3));
    });
  }

  TEST_CASE("ready jobs leave the loop to others after the budget") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      std::atomic<bool> stop{false};
      for (JobId id = 0; id < 200; ++id) scheduler.Submit(id, &RunForEver, &stop);
      uv_timer_t timer;
      uv_timer_init(scheduler.loop.get(), &timer);
      int fired = 0;
      timer.data = &fired;
      uv_timer_start(
          &timer, [](uv_timer_t* due) { ++*static_cast<int*>(due->data); }, 1, 1);
      CHECK(scheduler.loop.RunUntil([&] { return fired >= 20; }));
      CHECK(scheduler.ends == 0);
      stop = true;
      uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
      CHECK(scheduler.RunUntilEnded(200));
    });
  }

  TEST_CASE("a queued job that is abandoned is forgotten, a live one is driven to its end") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      SchedulerOptions options;
      options.max_jobs = 1;
      scheduler->Configure(options);
      CallbackWaiter waiter;
      scheduler.Submit(0, &WaitForCallback, &waiter);
      scheduler.Submit(1, &Empty);
      scheduler.Submit(2, &Empty);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
      CHECK(scheduler->Abandon(1));
      CHECK_FALSE(scheduler->Abandon(1));
      CHECK_FALSE(scheduler->Abandon(0));
      CHECK_FALSE(scheduler->Abandon(0));
      CHECK_FALSE(scheduler->Abandon(99));
      CHECK(scheduler->live() == 1);
      waiter.done = true;
      waiter.callback(waiter.argument);
      REQUIRE(scheduler.RunUntilEnded(2));
      CHECK(scheduler.returned.count(1) == 0);
      CHECK(scheduler.returned.count(0) == 1);
      CHECK(scheduler->metrics().cancelled == 1);
      CHECK(scheduler->metrics().abandoned == 1);
    });
  }

  TEST_CASE("only jobs that somebody wants keep the loop alive") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      CHECK(uv_run(scheduler.loop.get(), UV_RUN_NOWAIT) == 0);
      CallbackWaiter waiter;
      scheduler.Submit(0, &WaitForCallback, &waiter);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
      CHECK(uv_run(scheduler.loop.get(), UV_RUN_NOWAIT) != 0);
      scheduler->Abandon(0);
      CHECK(uv_run(scheduler.loop.get(), UV_RUN_NOWAIT) == 0);
      waiter.done = true;
      waiter.callback(waiter.argument);
    });
  }

  TEST_CASE("programs hand over, continue and are interrupted") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      int steps = 0;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind != Kind::kHandedOver) return;
        Command command;
        command.return_value = 11;
        if (++steps < 3) command.kind = Command::Kind::kPause;
        scheduler->Continue(event.id, command);
      };
      scheduler.Submit(0, nullptr);
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(scheduler.returned[0] == 11);
      CHECK(steps == 3);
      CHECK(scheduler.events.back().pauses == 2);
      CHECK(scheduler->metrics().hand_overs == 3);
    });
  }

  TEST_CASE("a program that is interrupted while it waits is handed over without its wake-up") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      const UniqueFd fd(NonBlockingEventFd());
      bool interrupted = false;
      int steps = 0;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind != Kind::kHandedOver) return;
        Command command;
        ++steps;
        if (steps == 1) {
          command.kind = Command::Kind::kSetWaitFd;
          command.key = 1;
          command.fd = fd.get();
        } else if (steps == 2) {
          command.kind = Command::Kind::kPause;
        } else if (steps == 3) {
          CHECK(interrupted);
          command.kind = Command::Kind::kClearFd;
          command.key = 1;
        }
        scheduler->Continue(event.id, command);
      };
      scheduler.Submit(0, nullptr);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
      interrupted = true;
      scheduler->Interrupt(0);
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(steps == 4);
    });
  }

  TEST_CASE("a job that its caller resumes is awaited, and released when it is forgotten") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      Result<std::unique_ptr<WaitPoint>> created = scheduler->CreateWaitPoint();
      REQUIRE(created.ok());
      WaitPoint& point = *created.value();
      const UniqueFd fd(NonBlockingEventFd());
      FdWaiter waiter;
      waiter.fd = fd.get();
      waiter.times = 2;
      FdWaiter* pointer = &waiter;
      JobRequest request;
      request.function = &WaitForFd;
      request.args = &pointer;
      request.args_size = sizeof(pointer);
      request.wait_point = &point;
      ScheduledJob* job = scheduler->CreateManual(request);
      REQUIRE(scheduler->RunManual(*job) == JobStatus::kPause);
      REQUIRE(scheduler->Await(point, 5).ok());
      scheduler.loop.Turn(3);
      CHECK(scheduler.events.empty());
      REQUIRE(eventfd_write(fd.get(), 1) == 0);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler.Count(Kind::kAwaited) == 1; }));
      CHECK(scheduler.events.back().id == 5);
      CHECK(scheduler.events.back().value == static_cast<int32_t>(WakeKind::kFd));
      REQUIRE(scheduler->RunManual(*job) == JobStatus::kPause);
      REQUIRE(scheduler->Await(point, 5).ok());
      scheduler->CancelAwait(5);
      CHECK(scheduler->ReleaseManual(job, 6));
      REQUIRE(eventfd_write(fd.get(), 1) == 0);
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(scheduler.returned[6] == 2);
      CHECK(scheduler.Count(Kind::kAwaited) == 1);
      point.Close();
    });
  }

  TEST_CASE("events asked for while events are delivered are delivered too") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      Result<std::unique_ptr<WaitPoint>> created = scheduler->CreateWaitPoint();
      REQUIRE(created.ok());
      WaitPoint& point = *created.value();
      struct Observer final : CallbackObserver {
        void OnCallback() override {}
      } observer;
      point.Observe(&observer);
      JobRequest request;
      request.function = &SelfWake;
      request.wait_point = &point;
      ScheduledJob* job = nullptr;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind != Kind::kFinished) return;
        // As JavaScript that goes on after `await runJob()`: another job, called back before it pauses, and a wait for
        // it.
        job = scheduler->CreateManual(request);
        CHECK(scheduler->RunManual(*job) == JobStatus::kPause);
        CHECK(scheduler->Await(point, 7).ok());
        scheduler->RequestDelivery();
      };
      scheduler.Submit(0, &Empty);
      CHECK(scheduler.loop.RunUntil([&] { return scheduler.Count(Kind::kAwaited) == 1; }));
      CHECK(scheduler.deliveries == 1);
      REQUIRE(job != nullptr);
      CHECK(scheduler->RunManual(*job) == JobStatus::kFinish);
      CHECK_FALSE(scheduler->ReleaseManual(job, kNoJobId));
      point.Close();
    });
  }

  TEST_CASE("a job that is resumed by hand pauses although a scheduled one left a block behind") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      Result<std::unique_ptr<WaitPoint>> created = scheduler->CreateWaitPoint();
      REQUIRE(created.ok());
      JobRequest request;
      request.function = [](void*) {
        for (int i = 0; i < 2; ++i) ASYNC_pause_job();
        return 1;
      };
      request.wait_point = created.value().get();
      ScheduledJob* job = scheduler->CreateManual(request);
      REQUIRE(scheduler->RunManual(*job) == JobStatus::kPause);
      scheduler.Submit(0, &LeaveBlocked);
      REQUIRE(scheduler.RunUntilEnded(1));
      CHECK(scheduler->RunManual(*job) == JobStatus::kPause);
      CHECK(scheduler->RunManual(*job) == JobStatus::kFinish);
      scheduler->ReleaseManual(job, kNoJobId);
      created.value()->Close();
    });
  }

  TEST_CASE("a block that is left behind does not outlive the batch") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      scheduler.Submit(0, &LeaveBlocked);
      REQUIRE(scheduler.RunUntilEnded(1));
      scheduler.Submit(1, &SelfWake);
      REQUIRE(scheduler.RunUntilEnded(2));
      CHECK(scheduler->metrics().pauses == 1);
    });
  }

  TEST_CASE("drained, jobs are driven to their end without the loop and without events") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      SchedulerOptions options;
      options.max_jobs = 4;
      scheduler->Configure(options);
      const UniqueFd fd(NonBlockingEventFd());
      FdWaiter fd_waiter;
      fd_waiter.fd = fd.get();
      CallbackWaiter callback_waiter;
      AgainTimes again{20, ASYNC_STATUS_EAGAIN};
      scheduler.Submit(0, &WaitForFd, &fd_waiter);
      scheduler.Submit(1, &WaitForCallback, &callback_waiter);
      scheduler.Submit(2, &PauseWithStatus, &again);
      scheduler.Submit(3, nullptr);  // hands over, and nobody answers
      scheduler.Submit(4, &Empty);   // queued
      REQUIRE(
          scheduler.loop.RunUntil([&] { return scheduler->live() == 4 && fd_waiter.paused && callback_waiter.ready; }));
      const size_t events = scheduler.events.size();
      std::thread device([&] {
        callback_waiter.done = true;
        callback_waiter.callback(callback_waiter.argument);
        CHECK(eventfd_write(fd.get(), 1) == 0);
      });
      CHECK(scheduler->Drain(5000) == 0);
      device.join();
      scheduler.drained = true;
      CHECK(scheduler->live() == 0);
      CHECK(scheduler->queued() == 0);
      CHECK(scheduler.events.size() == events);
      CHECK(JobThread::Current().live() == 0);
    });
  }

  TEST_CASE("drained while it is about to pause, a program ends without its wake-up") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      const UniqueFd fd(NonBlockingEventFd());
      size_t left = SIZE_MAX;
      scheduler.on_event = [&](const JobEvent& event) {
        Command command;
        command.key = 1;
        command.fd = fd.get();
        const bool begins = scheduler.events.size() == 1;
        command.kind = begins ? Command::Kind::kSetWaitFd : Command::Kind::kPause;
        scheduler->Continue(event.id, command);
        if (begins) return;
        left = scheduler->Drain(1000);  // as process.exit() does, from within whatever is told of events
        scheduler.drained = true;
      };
      scheduler.Submit(0, nullptr);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler.drained; }));
      CHECK(left == 0);
    });
  }

  TEST_CASE("stuck jobs are left after the time limit, and closing abandons them") {
    // Their stacks, wait contexts and arguments stay for ever, as what is in use by an engine must.
    static CallbackWaiter stuck[5];
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      for (JobId id = 0; id < 5; ++id) scheduler.Submit(id, &WaitForCallback, &stuck[id]);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 5; }));
      const uint64_t begin = uv_hrtime();
      CHECK(scheduler->Drain(30) == 5);
      CHECK((uv_hrtime() - begin) / 1'000'000 >= 29);
      scheduler.drained = true;
    });
    for (CallbackWaiter& waiter : stuck) {
      waiter.done = true;
      CHECK(waiter.callback(waiter.argument) == 1);  // long after, from another thread
    }
  }

  TEST_CASE("thousands of jobs of all kinds run to their end") {
    InThreadOfItsOwn([&] {
      constexpr JobId kJobs = 4000;
      TestScheduler scheduler;
      std::vector<CallbackWaiter> callback_waiters(kJobs / 4);
      std::vector<UniqueFd> fds;
      std::vector<FdWaiter> fd_waiters(100);
      for (FdWaiter& waiter : fd_waiters) {
        fds.emplace_back(NonBlockingEventFd());
        waiter.fd = fds.back().get();
      }
      AgainTimes again{2, ASYNC_STATUS_EAGAIN};
      for (JobId id = 0; id < kJobs; ++id) {
        switch (id % 4) {
          case 0:
            scheduler.Submit(id, &WaitForCallback, &callback_waiters[id / 4]);
            break;
          case 1:
            scheduler.Submit(id, &SelfWake);
            break;
          case 2:
            scheduler.Submit(id, &PauseWithStatus, &again);
            break;
          default:
            if (id / 4 < fd_waiters.size()) {
              scheduler.Submit(id, &WaitForFd, &fd_waiters[id / 4]);
            } else {
              scheduler.Submit(id, &PauseWithoutNotification);
            }
        }
      }
      std::thread device([&] {
        for (CallbackWaiter& waiter : callback_waiters) {
          while (!waiter.ready) std::this_thread::yield();
          waiter.done = true;
          waiter.callback(waiter.argument);
        }
        for (const UniqueFd& fd : fds) CHECK(eventfd_write(fd.get(), 1) == 0);
      });
      CHECK(scheduler.RunUntilEnded(kJobs));
      device.join();
      std::set<JobId> ended;
      for (const JobEvent& event : scheduler.events) {
        CHECK(event.kind == Kind::kFinished);
        ended.insert(event.id);
      }
      CHECK(ended.size() == kJobs);
      CHECK(scheduler->live() == 0);
    });
  }

  TEST_CASE("a scheduler in each of several threads, one after the other and at the same time") {
    for (int generation = 0; generation < 5; ++generation) {
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([] {
          TestScheduler scheduler;
          for (JobId id = 0; id < 300; ++id) scheduler.Submit(id, id % 2 == 0 ? &SelfWake : &PauseWithoutNotification);
          CHECK(scheduler.RunUntilEnded(300));
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
  }
}

}  // namespace openssl_async::testing
