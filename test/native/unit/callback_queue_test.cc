// These run under ThreadSanitizer too, by the name of their suite.
#include "wakeup/callback_queue.h"

#include <atomic>

#include "support.h"

namespace openssl_async::testing {

namespace {

class CountingTarget final : public WakeTarget {
 public:
  bool OnWake(WakeKind kind) override {
    if (kind == WakeKind::kCallback) ++wakes;
    return true;
  }
  int wakes = 0;
};

// A queue on a loop of its own, given back at the end.
class TestQueue {
 public:
  TestQueue() {
    int error = 0;
    queue_ = CallbackQueue::Adopt(loop.get(), open_, &error);
    REQUIRE(error == 0);
    REQUIRE(queue_ != nullptr);
    queue_->Ref();
  }
  ~TestQueue() { queue_->Retire(); }

  CallbackQueue& operator*() { return *queue_; }
  CallbackQueue* operator->() { return queue_; }

 private:
  OpenHandles open_;  // outlives the loop, whose end closes the handles

 public:
  TestLoop loop;

 private:
  CallbackQueue* queue_ = nullptr;
};

}  // namespace

TEST_SUITE("threads: callback queue") {
  TEST_CASE("a callback on the loop's own thread arrives at once") {
    TestQueue queue;
    CountingTarget listener;
    CallbackTarget* target = queue->AcquireTarget();
    CHECK(CallbackTarget::Notify(target) == 1);  // nobody listens
    target->Listen(&listener);
    CHECK(CallbackTarget::Notify(target) == 1);
    CHECK(listener.wakes == 1);
    queue->ReleaseTarget(target);
    CallbackTarget::Notify(target);
    CHECK(listener.wakes == 1);
  }

  TEST_CASE("a callback on another thread arrives from the loop, and several may arrive as one") {
    TestQueue queue;
    CountingTarget listener;
    CallbackTarget* target = queue->AcquireTarget();
    target->Listen(&listener);
    InThreadOfItsOwn([target] {
      for (int i = 0; i < 10; ++i) CallbackTarget::Notify(target);
    });
    CHECK(listener.wakes == 0);
    CHECK(queue.loop.RunUntil([&] { return listener.wakes > 0; }));
    queue.loop.Turn(3);
    CHECK(listener.wakes == 1);
    InThreadOfItsOwn([target] { CallbackTarget::Notify(target); });
    CHECK(queue.loop.RunUntil([&] { return listener.wakes == 2; }));
    queue->ReleaseTarget(target);
  }

  TEST_CASE("a callback that was made for an earlier listener is ignored") {
    TestQueue queue;
    CountingTarget earlier;
    CountingTarget later;
    CallbackTarget* target = queue->AcquireTarget();
    target->Listen(&earlier);
    InThreadOfItsOwn([target] { CallbackTarget::Notify(target); });
    target->Listen(&later);
    queue.loop.Turn(3);
    CHECK(earlier.wakes == 0);
    CHECK(later.wakes == 0);
    InThreadOfItsOwn([target] { CallbackTarget::Notify(target); });
    CHECK(queue.loop.RunUntil([&] { return later.wakes == 1; }));
    queue->ReleaseTarget(target);
  }

  TEST_CASE("a released target is acquired again, and hears nothing of its former life") {
    TestQueue queue;
    CountingTarget listener;
    CallbackTarget* target = queue->AcquireTarget();
    target->Listen(&listener);
    InThreadOfItsOwn([target] { CallbackTarget::Notify(target); });
    queue->ReleaseTarget(target);
    CallbackTarget* again = queue->AcquireTarget();
    CHECK(again == target);
    again->Listen(&listener);
    queue.loop.Turn(3);
    CHECK(listener.wakes == 0);
    queue->ReleaseTarget(again);
  }

  TEST_CASE("callbacks of a queue that was given back do nothing, and it is adopted by another thread") {
    CountingTarget listener;
    CallbackTarget* target = nullptr;
    CallbackQueue* first = nullptr;
    InThreadOfItsOwn([&] {
      TestQueue queue;
      first = &*queue;
      target = queue->AcquireTarget();
      target->Listen(&listener);
      target->Listen(nullptr);
    });
    CHECK(CallbackTarget::Notify(target) == 1);
    InThreadOfItsOwn([&] {
      TestQueue queue;
      CHECK(&*queue == first);
      queue.loop.Turn(2);
      CallbackTarget* other = queue->AcquireTarget();
      other->Listen(&listener);
      InThreadOfItsOwn([other] { CallbackTarget::Notify(other); });
      CHECK(queue.loop.RunUntil([&] { return listener.wakes == 1; }));
      queue->ReleaseTarget(other);
      queue->ReleaseTarget(target);
    });
    CHECK(listener.wakes == 1);
  }

  TEST_CASE("of many callbacks from many threads, the last to each target is never lost") {
    constexpr int kTargets = 32;
    constexpr int kThreads = 4;
    constexpr int kRounds = 20'000;
    TestQueue queue;
    // A wake-up promises that what was done before the callback can be seen.
    struct Operation final : WakeTarget {
      std::atomic<int> done{0};
      int seen = 0;
      bool OnWake(WakeKind) override {
        seen = done.load(std::memory_order_relaxed);
        return true;
      }
    };
    std::vector<Operation> operations(kTargets);
    std::vector<CallbackTarget*> targets;
    for (Operation& operation : operations) {
      targets.push_back(queue->AcquireTarget());
      targets.back()->Listen(&operation);
    }
    std::vector<std::thread> producers;
    for (int thread = 0; thread < kThreads; ++thread) {
      producers.emplace_back([&, thread] {
        for (int round = 0; round < kRounds; ++round) {
          const int i = (round * 7 + thread) % kTargets;
          operations[static_cast<size_t>(i)].done.fetch_add(1, std::memory_order_relaxed);
          CallbackTarget::Notify(targets[static_cast<size_t>(i)]);
        }
      });
    }
    const auto all_seen = [&] {
      int seen = 0;
      for (const Operation& operation : operations) seen += operation.seen;
      return seen == kThreads * kRounds;
    };
    CHECK(queue.loop.RunUntil(all_seen));
    for (std::thread& producer : producers) producer.join();
    for (CallbackTarget* target : targets) queue->ReleaseTarget(target);
  }

  TEST_CASE("a late callback of an earlier listener does not swallow the one of the present listener") {
    constexpr int kRounds = 30'000;
    TestQueue queue;
    CountingTarget listener;
    CallbackTarget* target = queue->AcquireTarget();
    std::atomic<int> late{0};
    std::atomic<int> due{0};
    std::atomic<int> made{0};
    // One thread calls around the time at which the listener changes, the other once it has changed.
    const auto caller = [&](std::atomic<int>& turn) {
      return std::thread([&] {
        for (int round = 1; round <= kRounds; ++round) {
          while (turn.load(std::memory_order_acquire) < round) std::this_thread::yield();
          CallbackTarget::Notify(target);
          made.fetch_add(1, std::memory_order_release);
        }
      });
    };
    std::thread late_caller = caller(late);
    std::thread due_caller = caller(due);
    int lost = 0;
    for (int round = 1; round <= kRounds; ++round) {
      late.store(round, std::memory_order_release);
      for (int spin = round % 64; spin > 0; --spin) std::atomic_signal_fence(std::memory_order_seq_cst);
      target->Listen(&listener);
      listener.wakes = 0;
      due.store(round, std::memory_order_release);
      while (made.load(std::memory_order_acquire) < 2 * round) std::this_thread::yield();
      queue->Deliver();
      if (listener.wakes == 0) ++lost;
    }
    late_caller.join();
    due_caller.join();
    CHECK(lost == 0);
    queue->ReleaseTarget(target);
  }

  TEST_CASE("threads call back while the queue is given back and adopted, over and over") {
    constexpr int kLives = 200;
    constexpr int kTargets = 8;
    std::atomic<CallbackTarget*> shared[kTargets] = {};
    std::atomic<bool> stop{false};
    std::vector<std::thread> producers;
    for (int thread = 0; thread < 2; ++thread) {
      producers.emplace_back([&] {
        while (!stop.load(std::memory_order_relaxed)) {
          for (std::atomic<CallbackTarget*>& slot : shared) {
            // Also those whose environment is gone: engines do not know.
            if (CallbackTarget* target = slot.load(std::memory_order_acquire); target != nullptr) {
              CallbackTarget::Notify(target);
            }
          }
        }
      });
    }
    for (int life = 0; life < kLives; ++life) {
      InThreadOfItsOwn([&] {
        TestQueue queue;
        CountingTarget listeners[kTargets];
        CallbackTarget* targets[kTargets];
        for (int i = 0; i < kTargets; ++i) {
          targets[i] = queue->AcquireTarget();
          targets[i]->Listen(&listeners[i]);
          shared[i].store(targets[i], std::memory_order_release);
        }
        const auto all_woken = [&] {
          for (const CountingTarget& listener : listeners) {
            if (listener.wakes == 0) return false;
          }
          return true;
        };
        CHECK(queue.loop.RunUntil(all_woken));
        for (CallbackTarget* target : targets) queue->ReleaseTarget(target);
      });
    }
    stop = true;
    for (std::thread& producer : producers) producer.join();
  }
}

}  // namespace openssl_async::testing
