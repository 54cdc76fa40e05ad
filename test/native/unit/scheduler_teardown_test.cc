#include "scheduler_support.h"

namespace openssl_async::testing {

using Kind = JobEvent::Kind;

TEST_SUITE("scheduler") {
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
        scheduler->Continue(scheduler.Job(event.id), command);
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
}

}  // namespace openssl_async::testing
