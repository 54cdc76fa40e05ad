#include "wakeup/wait_point.h"

#include <sys/eventfd.h>

#include <optional>
#include <string>
#include <utility>

#include "support.h"

namespace openssl_async::testing {

namespace {

using Offer = WaitPoint::Offer;

class TestPoint {
 public:
  TestPoint() {
    int error = 0;
    callbacks_ = CallbackQueue::Adopt(loop.get(), open_, &error);
    REQUIRE(error == 0);
    polls_.emplace(loop.get(), open_, &error);
    REQUIRE(error == 0);
    Result<std::unique_ptr<WaitPoint>> created = WaitPoint::Create(*callbacks_, *polls_);
    REQUIRE(created.ok());
    point_ = std::move(created.value());
  }
  ~TestPoint() {
    point_.reset();
    callbacks_->Retire();
  }
  WaitPoint* operator->() { return point_.get(); }

  // As an engine does it, on this thread.
  void CallBack() {
    ASYNC_callback_fn callback = nullptr;
    void* argument = nullptr;
    REQUIRE(ASYNC_WAIT_CTX_get_callback(point_->context().get(), &callback, &argument) == 1);
    REQUIRE((callback != nullptr));
    CHECK(callback(argument) == 1);
  }
  bool HasCallback() {
    ASYNC_callback_fn callback = nullptr;
    void* argument = nullptr;
    return ASYNC_WAIT_CTX_get_callback(point_->context().get(), &callback, &argument) == 1 && callback != nullptr;
  }

 private:
  OpenHandles open_;

 public:
  TestLoop loop;

 private:
  CallbackQueue* callbacks_ = nullptr;
  std::optional<PollTable> polls_;
  std::unique_ptr<WaitPoint> point_;
};

struct CountingObserver final : CallbackObserver {
  void OnCallback() override { ++calls; }
  int calls = 0;
};

}  // namespace

TEST_SUITE("wait point") {
  TEST_CASE("a pause offers callback, fds or nothing") {
    TestPoint point;
    RecordingTarget waiter;
    const Pipe pipe;
    point->Attach(&waiter);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point->StopAwaiting();
    point->context().SetFd(1, pipe.fd(), false);
    CHECK(point->AwaitWake() == Offer::kFd);
    point->StopAwaiting();
    point->context().set_status(ASYNC_STATUS_OK);
    CHECK(point->AwaitWake() == Offer::kCallback);
    point->StopAwaiting();
    point->context().set_status(ASYNC_STATUS_EAGAIN);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point->StopAwaiting();
    point.CallBack();
    CHECK(point->AwaitWake() == Offer::kReady);
    CHECK(waiter.kinds.empty());
    point->Detach(false);
  }

  TEST_CASE("a callback wakes the waiter, once") {
    TestPoint point;
    RecordingTarget waiter;
    point->Attach(&waiter);
    CHECK(point->AwaitWake() == Offer::kNothing);
    CHECK(point->awaiting());
    point.CallBack();
    CHECK(waiter.kinds == std::vector<WakeKind>{WakeKind::kCallback});
    CHECK_FALSE(point->awaiting());
    point.CallBack();  // for the next pause
    CHECK(waiter.kinds.size() == 1);
    CHECK(point->AwaitWake() == Offer::kReady);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point->Detach(false);
    CHECK_FALSE(point.HasCallback());
  }

  TEST_CASE("an fd wakes the waiter, also when a callback was promised, but not under 'again'") {
    for (const int status : {ASYNC_STATUS_UNSUPPORTED, ASYNC_STATUS_OK, ASYNC_STATUS_EAGAIN}) {
      CAPTURE(status);
      TestPoint point;
      RecordingTarget waiter;
      const Pipe pipe;
      point->Attach(&waiter);
      point->context().SetFd(1, pipe.fd(), false);
      CHECK(point->AwaitWake() == Offer::kFd);
      point->StopAwaiting();
      point->context().set_status(status);
      point->AwaitWake();
      pipe.Wake();
      if (status == ASYNC_STATUS_EAGAIN) {
        point.loop.Turn(5);
        CHECK(waiter.kinds.empty());
      } else {
        CHECK(point.loop.RunUntil([&] { return !waiter.kinds.empty(); }));
        point.loop.Turn(5);
        CHECK(waiter.kinds == std::vector<WakeKind>{WakeKind::kFd});
      }
      point->Detach(false);
    }
  }

  TEST_CASE("a status of an earlier job is forgotten") {
    TestPoint point;
    RecordingTarget waiter;
    point->Attach(&waiter);
    point->context().set_status(ASYNC_STATUS_OK);
    point->Detach(false);
    point->Attach(&waiter);
    CHECK(point->context().status() == ASYNC_STATUS_UNSUPPORTED);
    point->Detach(false);
  }

  TEST_CASE("an fd that an earlier job left is waited for, and by nothing else") {
    TestPoint point;
    RecordingTarget waiter;
    const Pipe pipe;
    for (const WaitMode mode : {WaitMode::kAuto, WaitMode::kFd, WaitMode::kAuto}) {
      point->Attach(&waiter, mode);
      if (point->context().Fds().empty()) point->context().SetFd(1, pipe.fd(), false);
      CHECK(point->AwaitWake() == Offer::kFd);
      CHECK(point->awaiting_fds());
      point->StopAwaiting();
      point->Detach(true);
    }
    CHECK(waiter.kinds.empty());
  }

  TEST_CASE("a status that promises a callback where there is none to call promises nothing") {
    TestPoint point;
    RecordingTarget waiter;
    const Pipe pipe;
    point->Attach(&waiter, WaitMode::kFd);
    CHECK_FALSE(point.HasCallback());
    point->context().set_status(ASYNC_STATUS_OK);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point->StopAwaiting();
    point->context().SetFd(1, pipe.fd(), false);
    CHECK(point->AwaitWake() == Offer::kFd);
    point->Detach(false);
  }

  TEST_CASE("a waiter for callbacks waits for one unless the engine says that there is none") {
    const std::pair<std::optional<int>, Offer> all[] = {
        {std::nullopt, Offer::kCallback},
        {ASYNC_STATUS_OK, Offer::kCallback},
        {ASYNC_STATUS_UNSUPPORTED, Offer::kNothing},
        {ASYNC_STATUS_EAGAIN, Offer::kNothing},
        {ASYNC_STATUS_ERR, Offer::kNothing},
    };
    for (const bool has_fd : {false, true}) {
      for (const auto& [status, offer] : all) {
        const int said = status.value_or(-1);
        CAPTURE(has_fd);
        CAPTURE(said);
        TestPoint point;
        RecordingTarget waiter;
        const Pipe pipe;
        point->Attach(&waiter, WaitMode::kCallback);
        if (has_fd) point->context().SetFd(1, pipe.fd(), false);
        if (status) point->context().set_status(*status);
        CHECK(point->AwaitWake() == offer);
        CHECK(point->awaiting_fds() == (has_fd && !status));
        point.CallBack();
        CHECK(waiter.kinds == std::vector<WakeKind>{WakeKind::kCallback});
        point->Detach(false);
      }
    }
  }

  TEST_CASE("callbacks and the engine's status outlast a change of a paused job's waiter") {
    TestPoint point;
    CountingObserver observer;
    RecordingTarget waiter;
    point->Observe(&observer);
    point->context().set_status(ASYNC_STATUS_OK);
    point->AttachPaused(&waiter);
    CHECK(point->AwaitWake() == Offer::kCallback);
    point->Detach(false);
    point.CallBack();
    point->AttachPaused(&waiter);
    CHECK(point->AwaitWake() == Offer::kReady);
    point->Detach(false);
    point->Observe(nullptr);
  }

  TEST_CASE("a callback for an earlier job is none for the next") {
    TestPoint point;
    RecordingTarget waiter;
    point->Attach(&waiter);
    point.CallBack();
    point->Detach(false);
    point->Attach(&waiter);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point->Detach(false);
  }

  TEST_CASE("fds that cannot be watched are told of, with the reason") {
    TestPoint point;
    RecordingTarget waiter;
    UniqueFd fd(eventfd(0, EFD_CLOEXEC));
    const int number = fd.get();
    fd.reset();
    point->Attach(&waiter);
    point->context().SetFd(1, number, false);
    CHECK(point->AwaitWake() == Offer::kUnwatchable);
    CHECK(std::string(point->watch_error().code) == "ERR_ASYNC_INVALID_FD");
    point.CallBack();  // still counts
    CHECK(waiter.kinds.size() == 1);
    point->context().ClearFd(1);
    point->Detach(false);
  }

  TEST_CASE("one that waits once lets go of the fds afterwards") {
    TestPoint point;
    RecordingTarget waiter;
    const Pipe pipe;
    point->context().SetFd(1, pipe.fd(), false);
    pipe.Wake();
    CHECK(point->AwaitOnce(&waiter) == Offer::kFd);
    CHECK(point->awaited_once());
    CHECK(point.loop.RunUntil([&] { return !waiter.kinds.empty(); }));
    point->StopAwaitingOnce();
    CHECK_FALSE(point->awaited_once());
    point.loop.Turn(3);
    CHECK(waiter.kinds.size() == 1);
  }

  TEST_CASE("a new waiter wakes the one that was there") {
    TestPoint point;
    RecordingTarget earlier;
    RecordingTarget later;
    CHECK(point->AwaitOnce(&earlier) == Offer::kNothing);
    point->Attach(&later);
    CHECK(earlier.kinds == std::vector<WakeKind>{WakeKind::kPoll});
    CHECK_FALSE(point->awaited_once());
    point->Detach(false);
  }

  TEST_CASE("an observer hears of callbacks with and without a waiter") {
    TestPoint point;
    CountingObserver observer;
    RecordingTarget waiter;
    CHECK_FALSE(point.HasCallback());
    point->Observe(&observer);
    CHECK(point.HasCallback());
    point.CallBack();
    CHECK(observer.calls == 1);
    point->Attach(&waiter);
    CHECK(point->AwaitWake() == Offer::kNothing);
    point.CallBack();
    CHECK(observer.calls == 2);
    CHECK(waiter.kinds.size() == 1);
    point->Detach(false);
    CHECK(point.HasCallback());
    point->Observe(nullptr);
    CHECK_FALSE(point.HasCallback());
  }

  TEST_CASE("a callback before the wait of a job that is resumed by hand counts, until that is forgotten") {
    TestPoint point;
    CountingObserver observer;
    RecordingTarget waiter;
    point->Observe(&observer);
    point.CallBack();
    CHECK(point->AwaitOnce(&waiter) == Offer::kReady);
    point->StopAwaitingOnce();
    point.CallBack();
    point->ForgetCallbacks();
    CHECK(point->AwaitOnce(&waiter) == Offer::kNothing);
    point->StopAwaitingOnce();
    point->Observe(nullptr);
  }

  TEST_CASE("an abandoned point leaves its wait context to the engine, and is deaf") {
    static WaitContext* left = nullptr;  // stays for ever, as that of a job which never ends
    ASYNC_callback_fn callback = nullptr;
    void* argument = nullptr;
    RecordingTarget waiter;
    {
      TestPoint point;
      point->Attach(&waiter);
      CHECK(point->AwaitWake() == Offer::kNothing);
      left = &point->context();
      point->Abandon();
      CHECK(point->abandoned());
    }
    REQUIRE(ASYNC_WAIT_CTX_get_callback(left->get(), &callback, &argument) == 1);
    CHECK(callback(argument) == 1);
    CHECK(waiter.kinds.empty());
  }
}

}  // namespace openssl_async::testing
