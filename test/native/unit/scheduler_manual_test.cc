#include "scheduler_support.h"

namespace openssl_async::testing {

using Kind = JobEvent::Kind;

TEST_SUITE("scheduler") {
  TEST_CASE("programs hand over, continue and are interrupted") {
    InThreadOfItsOwn([&] {
      TestScheduler scheduler;
      int steps = 0;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind != Kind::kHandedOver) return;
        Command command;
        command.return_value = 11;
        if (++steps < 3) command.kind = Command::Kind::kPause;
        scheduler->Continue(scheduler.Job(event.id), command);
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
        scheduler->Continue(scheduler.Job(event.id), command);
      };
      scheduler.Submit(0, nullptr);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler->waiting() == 1; }));
      interrupted = true;
      scheduler->Interrupt(scheduler.Job(0));
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
      REQUIRE(scheduler.Await(point, 5));
      scheduler.loop.Turn(3);
      CHECK(scheduler.events.empty());
      REQUIRE(eventfd_write(fd.get(), 1) == 0);
      REQUIRE(scheduler.loop.RunUntil([&] { return scheduler.Count(Kind::kAwaited) == 1; }));
      CHECK(scheduler.events.back().id == 5);
      CHECK(scheduler.events.back().value == static_cast<int32_t>(WakeKind::kFd));
      REQUIRE(scheduler->RunManual(*job) == JobStatus::kPause);
      REQUIRE(scheduler.Await(point, 5));
      scheduler.waits.erase(5);
      CHECK(scheduler->ReleaseManual(job, &scheduler, 6));
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
      struct Target final : DeliveryTarget {
        void OnDelivery() override { ++deliveries; }
        int deliveries = 0;
      } target;
      scheduler->AddTarget(target);
      ScheduledJob* job = nullptr;
      scheduler.on_event = [&](const JobEvent& event) {
        if (event.kind != Kind::kFinished) return;
        // As JavaScript that goes on after `await runJob()`: another job, called back before it pauses, and a wait for
        // it.
        job = scheduler->CreateManual(request);
        CHECK(scheduler->RunManual(*job) == JobStatus::kPause);
        CHECK(scheduler.Await(point, 7));
        scheduler->RequestDelivery(target);
      };
      scheduler.Submit(0, &Empty);
      CHECK(scheduler.loop.RunUntil([&] { return scheduler.Count(Kind::kAwaited) == 1; }));
      CHECK(target.deliveries == 1);
      REQUIRE(job != nullptr);
      CHECK(scheduler->RunManual(*job) == JobStatus::kFinish);
      CHECK_FALSE(scheduler->ReleaseManual(job, nullptr, kNoJobId));
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
      scheduler->ReleaseManual(job, nullptr, kNoJobId);
      created.value()->Close();
    });
  }
}

}  // namespace openssl_async::testing
