#include <string>

#include "scheduler_support.h"

namespace openssl_async::testing {

using Kind = JobEvent::Kind;

TEST_SUITE("scheduler") {
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

  TEST_CASE("jobs that can go on at once end before all of a long queue has started") {
    InThreadOfItsOwn([&] {
      constexpr JobId kJobs = 5000;
      TestScheduler scheduler;
      SchedulerOptions options;
      options.tick_budget_ns = 1'000'000'000;
      scheduler->Configure(options);
      size_t most_live = 0;
      scheduler.on_event = [&](const JobEvent&) { most_live = std::max(most_live, scheduler->live()); };
      for (JobId id = 0; id < kJobs; ++id) scheduler.Submit(id, &SelfWake);
      REQUIRE(scheduler.RunUntilEnded(kJobs));
      CHECK(most_live < 1000);
      for (JobId id = 0; id < kJobs; ++id) REQUIRE(scheduler.events[id].id == id);
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
        if (event.kind == Kind::kUnwatchable) code = event.error.code;
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
}

}  // namespace openssl_async::testing
