#include "pool/offload.h"

#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/memory.h"
#include "openssl/error_queue.h"
#include "pool/notify_fd.h"
#include "pool/worker_pool.h"
#include "pool/worker_thread.h"

namespace openssl_async {

namespace {

using Clock = std::chrono::steady_clock;

struct Counters {
  std::atomic<uint64_t> offloaded{0};
  std::atomic<uint64_t> inlined{0};
  std::atomic<uint64_t> refused{0};
};

Counters counters[kOffloadClasses];

Counters& CountersOf(OffloadClass operation) { return counters[static_cast<size_t>(operation)]; }

void Count(std::atomic<uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

// Counts the forks that led to this process.
std::atomic<unsigned> forks{0};

unsigned Forks() {
  static const bool registered = [] {
    OnFork({nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }});
    return true;
  }();
  return registered ? forks.load(std::memory_order_relaxed) : 0;
}

// While the application has pauses blocked, ASYNC_pause_job(3) returns at once, as if it had paused. Only the time
// tells this from an application that resumes without waiting: a switch to another stack and back takes five times as
// long as a look at the job. Many short pauses in a row count as blocked.
constexpr int kLooksOfSwitch = 3;
constexpr unsigned kMostRushed = 64;

// Lives on the stack of its waiting job.
class OffloadTask final : public WorkerPool::Task {
 public:
  OffloadTask(RunTime* run_time, int (*work)(void*), void* argument)
      : run_time_(run_time), work_(work), argument_(argument) {
    if (run_time != nullptr) expected_ns = run_time->expected_ns();
  }

  // False when there is no way to wake the application.
  bool Prepare(ASYNC_WAIT_CTX* wait_context) {
    wait_context_ = wait_context;
    // An application with a callback expects its call, and waits for nothing else if the status says so.
    if (ASYNC_WAIT_CTX_get_callback(wait_context, &callback_, &callback_argument_) != 1) callback_ = nullptr;
    if (callback_ == nullptr) {
      notify_fd_ = NotifyFd::Of(wait_context);
      if (!notify_fd_.valid()) return false;
    }
    forks_ = Forks();
    return true;
  }

  // Pauses until the pool has run the task.
  int Await() {
    const int status = callback_ != nullptr ? ASYNC_STATUS_OK : ASYNC_STATUS_UNSUPPORTED;
    const int status_before = ASYNC_WAIT_CTX_get_status(wait_context_);
    if (status != status_before) ASYNC_WAIT_CTX_set_status(wait_context_, status);
    PauseUntilDone();
    // Other waits in this job set their own status.
    if (status != status_before) ASYNC_WAIT_CTX_set_status(wait_context_, status_before);
    errors_.Restore();
    return result_;
  }

 private:
  enum class State : uint8_t {
    kPending,
    kAsleep,    // pending, and the job's thread sleeps until it is ready
    kReady,     // the result is there, but the pool still notifies: the task must stay
    kNotified,  // the pool is done with the task
  };

  struct Sleeper {
    std::mutex mutex;
    std::condition_variable wake;
    bool awake = false;
  };

  void Run() noexcept override {
    const Clock::time_point began = Clock::now();
    result_ = work_(argument_);
    if (run_time_ != nullptr) run_time_->Record(static_cast<uint64_t>((Clock::now() - began).count()));
    OrDieOfMemory([this] { errors_ = ErrorQueue::Take(); });
  }

  void Done() noexcept override {
    // Ready first, then notified: the notification resumes the job, which must not find the task pending.
    if (state_.exchange(State::kReady, std::memory_order_acq_rel) == State::kAsleep) {
      const std::lock_guard<std::mutex> lock(sleeper_->mutex);
      sleeper_->awake = true;
      sleeper_->wake.notify_one();
      return;
    }
    if (callback_ != nullptr) {
      callback_(callback_argument_);
    } else {
      notify_fd_.Signal();
    }
    state_.store(State::kNotified, std::memory_order_release);
  }

  void PauseUntilDone() {
    bool could_pause = ASYNC_pause_job() == 1;
    for (unsigned rushed = 0; state_.load(std::memory_order_acquire) == State::kPending;) {
      if (forks_ != Forks()) return Lose();
      if (!could_pause || rushed >= kMostRushed) {
        if (Sleep()) return;
        break;
      }
      const Clock::time_point look = Clock::now();
      ASYNC_get_current_job();
      const Clock::time_point pause = Clock::now();
      could_pause = ASYNC_pause_job() == 1;
      rushed = Clock::now() - pause < kLooksOfSwitch * (pause - look) ? rushed + 1 : 0;
    }
    AwaitNotified();
  }

  // The pool has one more system call to make at most, but its thread may have lost the processor to this one.
  void AwaitNotified() {
    constexpr int kYields = 200;
    constexpr std::chrono::microseconds kNap(20);
    for (int tries = 0; state_.load(std::memory_order_acquire) != State::kNotified; ++tries) {
      if (tries < kYields) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kNap);
      }
    }
    if (callback_ == nullptr) notify_fd_.Clear();
  }

  // False when the result came first.
  bool Sleep() {
    Sleeper sleeper;
    sleeper_ = &sleeper;
    State expected = State::kPending;
    if (!state_.compare_exchange_strong(expected, State::kAsleep, std::memory_order_acq_rel)) return false;
    std::unique_lock<std::mutex> lock(sleeper.mutex);
    sleeper.wake.wait(lock, [&] { return sleeper.awake; });
    return true;
  }

  // A forked process has neither the pool's threads nor the work.
  void Lose() {
    ERR_raise_data(ERR_LIB_PROV, ERR_R_INTERNAL_ERROR, "the process was forked during the operation");
    result_ = 0;
  }

  RunTime* run_time_;
  int (*work_)(void*);
  void* argument_;
  int result_ = 0;
  unsigned forks_ = 0;
  ErrorQueue errors_;
  ASYNC_WAIT_CTX* wait_context_ = nullptr;
  ASYNC_callback_fn callback_ = nullptr;
  void* callback_argument_ = nullptr;
  NotifyFd notify_fd_;
  Sleeper* sleeper_ = nullptr;
  std::atomic<State> state_{State::kPending};
};

}  // namespace

void RunTime::Record(uint64_t ns) {
  constexpr uint64_t kWeight = 8;
  constexpr uint64_t kLongest = kUnknown - 1;
  const uint64_t before = expected_ns();
  // A sample from a thread that lost its processor says little about the work.
  const uint64_t sample = std::min(before == kUnknown ? ns : std::min(ns, 4 * before), kLongest);
  const uint64_t after = before == kUnknown ? sample : (before * (kWeight - 1) + sample) / kWeight;
  expected_ns_.store(static_cast<uint32_t>(std::max<uint64_t>(after, 1)), std::memory_order_relaxed);
}

int OffloadCall(OffloadClass operation, RunTime* run_time, int (*work)(void*), void* argument) {
  Counters& counts = CountersOf(operation);
  ASYNC_JOB* job = ASYNC_get_current_job();
  if (job == nullptr) {
    Count(counts.inlined);
    return work(argument);
  }
  OffloadTask task(run_time, work, argument);
  if (!task.Prepare(ASYNC_get_wait_ctx(job)) || WorkerPool::Get().Submit(&task) != WorkerPool::Refusal::kNone) {
    Count(counts.refused);
    return work(argument);
  }
  Count(counts.offloaded);
  return task.Await();
}

void CountInline(OffloadClass operation) { Count(CountersOf(operation).inlined); }

AcceleratorStats GetAcceleratorStats() {
  AcceleratorStats stats;
  for (size_t i = 0; i < kOffloadClasses; ++i) {
    stats.classes[i].offloaded = counters[i].offloaded.load(std::memory_order_relaxed);
    stats.classes[i].inlined = counters[i].inlined.load(std::memory_order_relaxed);
    stats.classes[i].refused = counters[i].refused.load(std::memory_order_relaxed);
  }
  return stats;
}

const char* OffloadClassName(size_t index) {
  static constexpr const char* kNames[kOffloadClasses] = {"keymgmt", "signature", "asym-cipher",
                                                          "keyexch", "kem",       "kdf"};
  return kNames[index];
}

}  // namespace openssl_async
