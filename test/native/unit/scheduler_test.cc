#include <sys/resource.h>

#include <set>
#include <string>

#include "scheduler_support.h"

namespace openssl_async::testing {

using Kind = JobEvent::Kind;

TEST_SUITE("scheduler") {
  TEST_CASE("leaves nothing open when the system has no room for it, and can be made later") {
    InThreadOfItsOwn([] {
      TestLoop loop;  // which must close
      rlimit before = {};
      REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
      const rlimit none = {0, before.rlim_max};
      REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
      const Result<std::unique_ptr<Scheduler>> refused = Scheduler::Create(loop.get());
      REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
      REQUIRE_FALSE(refused.ok());
      CHECK(std::string(refused.error().code) == "ERR_ASYNC_LOOP");
      Result<std::unique_ptr<Scheduler>> created = Scheduler::Create(loop.get());
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

  TEST_CASE("each owner is told of its own jobs, once a turn, in the order in which owners were added") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      struct Other final : JobOwner {
        explicit Other(TestScheduler& first) : first(first) {}
        void OnEnd(const ScheduledJob& job) override { ended.push_back(job.id()); }
        void OnDelivery() override {
          ++deliveries;
          first_was_told = first.ends == 10;
        }
        TestScheduler& first;
        std::vector<JobId> ended;
        int deliveries = 0;
        bool first_was_told = false;
      } other(scheduler);
      SchedulerOptions options;
      options.tick_budget_ns = 60'000'000'000;  // all of them in one turn, however slow it is
      scheduler->Configure(options);
      scheduler->AddTarget(other);
      for (JobId id = 0; id < 10; ++id) {
        JobRequest request;
        request.owner = &other;
        request.id = id;  // ids are the owners' own
        request.function = &Empty;
        scheduler->Submit(request);
        scheduler.Submit(id, &Empty);
      }
      REQUIRE(scheduler.loop.RunUntil([&] { return other.deliveries > 0; }));
      CHECK(other.ended == std::vector<JobId>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
      CHECK(other.deliveries == 1);
      CHECK(other.first_was_told);
      CHECK(scheduler.batches == 1);
      CHECK(scheduler.Count(Kind::kFinished) == 10);
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
      const Error& failure = scheduler.events[0].error;
      CHECK(std::string(failure.code) == "ERR_ASYNC_NATIVE_EXCEPTION");
      CHECK(failure.message == "out of a job");
      CHECK(scheduler.events[1].kind == Kind::kFinished);
      CHECK(scheduler.events[1].error.openssl_errors.size() == 1);
      CHECK(scheduler.events[2].error.openssl_errors.empty());
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
      ScheduledJob& forgotten = scheduler.Job(1);
      CHECK(scheduler->Abandon(forgotten));
      CHECK_FALSE(scheduler->Abandon(forgotten));
      CHECK_FALSE(scheduler->Abandon(scheduler.Job(0)));
      CHECK_FALSE(scheduler->Abandon(scheduler.Job(0)));
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
      scheduler->Abandon(scheduler.Job(0));
      CHECK(uv_run(scheduler.loop.get(), UV_RUN_NOWAIT) == 0);
      waiter.done = true;
      waiter.callback(waiter.argument);
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
