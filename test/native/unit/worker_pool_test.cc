// These run under ThreadSanitizer too, by the name of their suite.
#include "pool/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "accelerator_support.h"

namespace openssl_async::testing {

namespace {

// A log of events, from any thread, in order.
class Log {
 public:
  void Add(int event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  std::vector<int> WaitFor(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return events_.size() >= count; });
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> events_;
};

class TestTask final : public WorkerPool::Task {
 public:
  explicit TestTask(std::function<void()> run = {}, std::function<void()> done = {})
      : run_(std::move(run)), done_(std::move(done)) {}
  void Run() noexcept override {
    if (run_) run_();
  }
  void Done() noexcept override {
    if (done_) done_();
  }

 private:
  std::function<void()> run_;
  std::function<void()> done_;
};

bool IsTaken(WorkerPool& pool, WorkerPool::Task* task) { return pool.Submit(task) == WorkerPool::Refusal::kNone; }

// The process's pool with one thread and nothing else, in a process of its own: options are for good.
bool InProcessOfItsOwn(const WorkerPool::Options& options, const std::function<bool(WorkerPool&)>& body) {
  return InForkedChild([&] {
    WorkerPool& pool = WorkerPool::Get();
    const bool ok = pool.Configure(options) && body(pool);
    pool.Stop();
    return ok;
  });
}

// Occupies the pool's only thread until the gate is opened.
struct Blocker {
  Gate begun;
  Gate gate;
  Gate over;
  TestTask task{[this] {
                  begun.Open();
                  gate.Wait();
                },
                [this] { over.Open(); }};
};

WorkerPool::Options OneThread() {
  WorkerPool::Options options;
  options.threads = 1;
  options.spare_thread = false;
  return options;
}

#ifdef __GLIBC__
// Threads of a size that the system has no room for cannot be started.
class NoThreads {
 public:
  NoThreads() {
    pthread_attr_t huge;
    pthread_getattr_default_np(&before_);
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 46);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};
#endif

}  // namespace

TEST_SUITE("threads: worker pool") {
  TEST_CASE("runs every task once, whoever submits it") {
    constexpr int kTasks = 500;
    constexpr int kThreads = 4;
    std::atomic<int> runs{0};
    Log done;
    std::vector<std::unique_ptr<TestTask>> tasks;
    for (int i = 0; i < kTasks * kThreads; ++i) {
      tasks.push_back(std::make_unique<TestTask>([&] { ++runs; }, [&, i] { done.Add(i); }));
      tasks.back()->expected_ns = i % 2 == 0 ? 100 : UINT32_MAX;
    }
    std::vector<std::thread> submitters;
    for (int thread = 0; thread < kThreads; ++thread) {
      submitters.emplace_back([&, thread] {
        for (int i = 0; i < kTasks; ++i) {
          CHECK(IsTaken(WorkerPool::Get(), tasks[static_cast<size_t>(thread * kTasks + i)].get()));
        }
      });
    }
    for (std::thread& submitter : submitters) submitter.join();
    CHECK(done.WaitFor(kTasks * kThreads).size() == kTasks * kThreads);
    CHECK(runs == kTasks * kThreads);
    CHECK(WorkerPool::Get().stats().queued == 0);
  }

  TEST_CASE("cannot be configured any more once it runs") {
    Gate done;
    TestTask task({}, [&] { done.Open(); });
    REQUIRE(IsTaken(WorkerPool::Get(), &task));
    done.Wait();
    CHECK_FALSE(WorkerPool::Get().Configure(OneThread()));
  }
}

// In forked children, which ThreadSanitizer does not follow.
TEST_SUITE("worker pool") {
  TEST_CASE("takes tasks in order, and short ones along, whose ends are told together") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Blocker blocker;
      Log log;
      TestTask first([&] { log.Add(1); }, [&] { log.Add(-1); });
      TestTask second([&] { log.Add(2); }, [&] { log.Add(-2); });
      TestTask longer([&] { log.Add(3); }, [&] { log.Add(-3); });
      TestTask last([&] { log.Add(4); }, [&] { log.Add(-4); });
      first.expected_ns = second.expected_ns = last.expected_ns = 10'000;
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      for (TestTask* task : {&first, &second, &longer, &last}) pool.Submit(task);
      blocker.gate.Open();
      return log.WaitFor(8) == std::vector<int>{1, 2, -1, -2, 3, -3, 4, -4};
    });
    CHECK(as_expected);
  }

  TEST_CASE("takes several at once, as many as the queue admits, and wakes a thread for each") {
    WorkerPool::Options options;
    options.threads = 3;
    options.spare_thread = false;
    options.max_queued = 3;
    const bool as_expected = InProcessOfItsOwn(options, [](WorkerPool& pool) {
      Log log;
      Gate gate;
      std::atomic<int> running{0};
      Gate all_run;
      // Each holds its thread until all three run: one thread alone would never get there.
      const auto run = [&] {
        if (++running == 3) all_run.Open();
        gate.Wait();
      };
      TestTask tasks[4] = {TestTask(run, [&] { log.Add(1); }), TestTask(run, [&] { log.Add(1); }),
                           TestTask(run, [&] { log.Add(1); }), TestTask(run, [&] { log.Add(1); })};
      WorkerPool::Task* pointers[4] = {&tasks[0], &tasks[1], &tasks[2], &tasks[3]};
      const bool three = pool.SubmitAll(pointers, 4) == 3;
      all_run.Wait();
      const bool none_left = pool.stats().queued == 0 && pool.stats().running == 3 && pool.stats().refused == 1;
      gate.Open();
      return three && none_left && log.WaitFor(3).size() == 3 && !tasks[3].linked();
    });
    CHECK(as_expected);
  }

  TEST_CASE("shares waiting tasks among its threads") {
    WorkerPool::Options options;
    options.threads = 2;
    options.spare_thread = false;
    const bool as_expected = InProcessOfItsOwn(options, [](WorkerPool& pool) {
      Blocker blockers[2];
      Log log;
      std::vector<std::unique_ptr<TestTask>> tasks;
      std::vector<WorkerPool::Task*> pointers;
      for (int i = 0; i < 8; ++i) {
        tasks.push_back(std::make_unique<TestTask>([&, i] { log.Add(i); }, [&, i] { log.Add(-1 - i); }));
        tasks.back()->expected_ns = 1000;
        pointers.push_back(tasks.back().get());
      }
      for (Blocker& blocker : blockers) {
        pool.Submit(&blocker.task);
        blocker.begun.Wait();
      }
      pool.SubmitAll(pointers.data(), pointers.size());
      // One thread takes half of them, though it could take all; then half of the rest, rounded up, and so on.
      blockers[0].gate.Open();
      const std::vector<int> expected = {0, 1, 2, 3, -1, -2, -3, -4, 4, 5, -5, -6, 6, -7, 7, -8};
      const bool shared = log.WaitFor(16) == expected;
      blockers[1].gate.Open();
      blockers[1].over.Wait();
      return shared;
    });
    CHECK(as_expected);
  }

  TEST_CASE("its threads block every signal") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Gate done;
      bool blocked = true;
      TestTask task(
          [&] {
            sigset_t mask;
            pthread_sigmask(SIG_SETMASK, nullptr, &mask);
            for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGPROF, SIGCHLD, SIGPIPE}) {
              if (sigismember(&mask, signal) != 1) blocked = false;
            }
          },
          [&] { done.Open(); });
      pool.Submit(&task);
      done.Wait();
      return blocked;
    });
    CHECK(as_expected);
  }

  TEST_CASE("refuses more than the queue may hold, and forgets what is cancelled") {
    WorkerPool::Options options = OneThread();
    options.max_queued = 2;
    const bool as_expected = InProcessOfItsOwn(options, [](WorkerPool& pool) {
      Blocker blocker;
      Log log;
      TestTask kept([&] { log.Add(1); }, [&] { log.Add(-1); });
      TestTask cancelled([&] { log.Add(2); });
      TestTask refused([&] { log.Add(3); });
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      const bool taken = IsTaken(pool, &kept) && IsTaken(pool, &cancelled);
      const bool full = pool.Submit(&refused) == WorkerPool::Refusal::kFull && pool.stats().refused == 1;
      const bool forgotten = pool.Cancel(&cancelled) && !pool.Cancel(&cancelled) && !pool.Cancel(&blocker.task);
      blocker.gate.Open();
      const bool ran = log.WaitFor(2) == std::vector<int>{1, -1};
      return taken && full && forgotten && ran;
    });
    CHECK(as_expected);
  }

  TEST_CASE("has the spare thread help only while more wait than there are threads") {
    WorkerPool::Options options = OneThread();
    options.spare_thread = true;
    const bool as_expected = InProcessOfItsOwn(options, [](WorkerPool& pool) {
      Blocker blocker;
      Log log;
      TestTask first({}, [&] { log.Add(1); });
      TestTask second({}, [&] { log.Add(2); });
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      pool.Submit(&first);
      pool.Submit(&second);
      // The only thread is busy: whoever ran this was the spare one, which leaves the last task to the other.
      const bool helped = log.WaitFor(1) == std::vector<int>{1};
      const bool leaves_one = pool.stats().queued == 1 && pool.stats().spare_threads == 1;
      blocker.gate.Open();
      return helped && leaves_one && log.WaitFor(2) == std::vector<int>{1, 2};
    });
    CHECK(as_expected);
  }

  TEST_CASE("starts anew in a forked child, which knows nothing of its parent's tasks") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Blocker blocker;
      Gate waited;
      TestTask waiting({}, [&] { waited.Open(); });
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      pool.Submit(&waiting);
      const bool anew = InForkedChild([&] {
        Gate done;
        TestTask task({}, [&] { done.Open(); });
        const bool clean = pool.stats().queued == 0 && pool.stats().threads == 0;
        const bool taken = IsTaken(pool, &task);
        if (taken) done.Wait();
        return clean && taken;
      });
      blocker.gate.Open();
      blocker.over.Wait();
      waited.Wait();
      return anew;
    });
    CHECK(as_expected);
  }

#ifdef __GLIBC__
  TEST_CASE("says that there are no threads, and asks for them again") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Gate done;
      TestTask task({}, [&] { done.Open(); });
      {
        const NoThreads none;
        for (int i = 0; i < 2; ++i) {
          if (pool.Submit(&task) != WorkerPool::Refusal::kNoThreads || pool.Cancel(&task)) return false;
        }
      }
      if (pool.stats().refused != 2 || !IsTaken(pool, &task)) return false;
      done.Wait();
      return pool.stats().threads == 1;
    });
    CHECK(as_expected);
  }
#endif

  TEST_CASE("waits at its end for running tasks, and drops waiting ones") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Blocker blocker;
      std::atomic<bool> ran{false};
      TestTask dropped([&] { ran = true; });
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      pool.Submit(&dropped);
      std::thread stopper([&] { pool.Stop(); });
      while (pool.stats().queued != 0) std::this_thread::yield();
      blocker.gate.Open();
      stopper.join();
      TestTask late;
      return !ran && pool.Submit(&late) == WorkerPool::Refusal::kStopping;
    });
    CHECK(as_expected);
  }

  TEST_CASE("says which ends another end for the same waker follows") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      Blocker blocker;
      Log log;
      const int wakers[] = {0, 0};
      std::deque<TestTask> tasks;
      for (const void* waker : {&wakers[0], &wakers[0], &wakers[1], &wakers[1], static_cast<const int*>(nullptr)}) {
        const size_t index = tasks.size();
        TestTask& task = tasks.emplace_back([] {}, [&, index] { log.Add(tasks[index].is_followed ? 1 : 0); });
        task.expected_ns = 100;
        task.waker = waker;
      }
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      for (TestTask& task : tasks) pool.Submit(&task);
      blocker.gate.Open();
      return log.WaitFor(5) == std::vector<int>{1, 0, 1, 0, 0};
    });
    CHECK(as_expected);
  }

  TEST_CASE("takes more along the longer they wait") {
    const bool as_expected = InProcessOfItsOwn(OneThread(), [](WorkerPool& pool) {
      constexpr size_t kTasks = 128;
      constexpr uint32_t kExpectedNs = 100'000;
      Blocker blocker;
      Log log;
      std::vector<std::unique_ptr<TestTask>> tasks;
      for (size_t i = 0; i < kTasks; ++i) {
        tasks.push_back(std::make_unique<TestTask>([&] { log.Add(1); }, [&] { log.Add(0); }));
        tasks.back()->expected_ns = kExpectedNs;
      }
      pool.Submit(&blocker.task);
      blocker.begun.Wait();
      for (const auto& task : tasks) pool.Submit(task.get());
      blocker.gate.Open();
      const std::vector<int> events = log.WaitFor(2 * kTasks);
      const auto first_end = std::find(events.begin(), events.end(), 0) - events.begin();
      return first_end == kTasks / 4 && events[events.size() - 2] == 1;
    });
    CHECK(as_expected);
  }
}

}  // namespace openssl_async::testing
