#include "wakeup/backoff_timer.h"

#include <optional>

#include "support.h"

namespace openssl_async::testing {

namespace {

class TestTimer {
 public:
  TestTimer() {
    int error = 0;
    timer_.emplace(loop.get(), open_, &error);
    REQUIRE(error == 0);
  }
  BackoffTimer* operator->() { return &*timer_; }
  // As a drain does it: by the clock, without the loop.
  void FireUntil(const std::function<bool()>& done) {
    while (!done()) {
      uv_update_time(loop.get());
      timer_->FireDue();
    }
  }

 private:
  OpenHandles open_;

 public:
  TestLoop loop;

 private:
  std::optional<BackoffTimer> timer_;
};

}  // namespace

TEST_SUITE("backoff timer") {
  TEST_CASE("each attempt waits twice as long as the one before, up to the limit") {
    TestTimer timer;
    timer->Configure(2, 10);
    RecordingTarget target;
    BackoffEntry entry;
    entry.target = &target;
    const uint64_t expected_ms[] = {2, 4, 8, 10, 10, 10};
    unsigned attempt = 0;
    for (const uint64_t expected : expected_ms) {
      CAPTURE(attempt);
      uv_update_time(timer.loop.get());
      timer->Schedule(entry, attempt++);
      CHECK(entry.due_ms == uv_now(timer.loop.get()) + expected);
      timer->Cancel(entry);
    }
    timer->Schedule(entry, 1'000'000);
    CHECK(entry.due_ms == uv_now(timer.loop.get()) + 10);
    timer->Cancel(entry);
    CHECK(target.kinds.empty());
  }

  TEST_CASE("the loop wakes the targets, in the order of their times") {
    TestTimer timer;
    timer->Configure(1, 8);
    struct Ordered final : WakeTarget {
      std::vector<int>* order = nullptr;
      int number = 0;
      bool OnWake(WakeKind kind) override {
        CHECK(kind == WakeKind::kPoll);
        order->push_back(number);
        return true;
      }
    };
    std::vector<int> order;
    Ordered targets[4];
    BackoffEntry entries[4];
    const unsigned attempts[] = {3, 0, 2, 1};
    uv_update_time(timer.loop.get());
    for (int i = 0; i < 4; ++i) {
      targets[i].order = &order;
      targets[i].number = i;
      entries[i].target = &targets[i];
      timer->Schedule(entries[i], attempts[i]);
    }
    CHECK(timer.loop.RunUntil([&] { return order.size() == 4; }));
    // Those of one late firing go by their intervals, which is the order of their times here.
    CHECK(order == std::vector<int>{1, 3, 2, 0});
  }

  TEST_CASE("a cancelled entry is not woken, nor does its cancellation delay others") {
    TestTimer timer;
    RecordingTarget cancelled;
    RecordingTarget kept;
    BackoffEntry first;
    BackoffEntry second;
    first.target = &cancelled;
    second.target = &kept;
    timer->Schedule(first, 0);
    timer->Schedule(second, 1);
    timer->Cancel(first);
    timer->Cancel(first);
    CHECK(timer.loop.RunUntil([&] { return !kept.kinds.empty(); }));
    CHECK(cancelled.kinds.empty());
  }

  TEST_CASE("a target may schedule itself again when it is woken") {
    TestTimer timer;
    timer->Configure(1, 1);
    struct Repeating final : WakeTarget {
      TestTimer* timer = nullptr;
      BackoffEntry entry;
      int wakes = 0;
      bool OnWake(WakeKind) override {
        if (++wakes < 5) (*timer)->Schedule(entry, 0);
        return true;
      }
    };
    Repeating target;
    target.timer = &timer;
    target.entry.target = &target;
    timer->Schedule(target.entry, 0);
    CHECK(timer.loop.RunUntil([&] { return target.wakes == 5; }));
  }

  TEST_CASE("without the loop, due entries fire by the clock") {
    TestTimer timer;
    constexpr uint64_t kIntervalMs = 250;  // no machine is so slow that it has passed before the look below
    timer->Configure(kIntervalMs, kIntervalMs);
    RecordingTarget target;
    BackoffEntry entry;
    entry.target = &target;
    const uint64_t begin_ns = uv_hrtime();
    uv_update_time(timer.loop.get());
    timer->Schedule(entry, 0);
    timer->FireDue();
    CHECK(target.kinds.empty());
    timer.FireUntil([&] { return !target.kinds.empty(); });
    CHECK((uv_hrtime() - begin_ns) / 1'000'000 >= kIntervalMs - 1);
  }
}

}  // namespace openssl_async::testing
