#include "pool/worker_pool.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "pool/worker_thread.h"

namespace openssl_async {

namespace {

// A batch's tasks are expected to take kBatchNs together. They share one wake-up of their waker, and none waits longer
// than that for the end of the others. When tasks wait longer in the queue, a batch may take a part of that wait, up to
// a limit.
constexpr uint64_t kBatchNs = 100'000;
constexpr uint64_t kPartOfWait = 4;
// The part of the queue that a spare thread may take.
constexpr size_t kSparePart = 16;
constexpr uint64_t kMostBatchNs = 5'000'000;
constexpr size_t kMostInBatch = 64;
// When the system gave fewer threads than wanted, the pool asks again after so many submissions.
constexpr uint64_t kSubmissionsPerRetry = 256;

// Overwrites the remains of called functions on the stack, which a sleeping thread would keep for long.
[[gnu::noinline]] void WipeStack() {
  constexpr size_t kBytes = 16 * 1024;
  unsigned char used[kBytes];
  Wipe(used, sizeof(used));
}

}  // namespace

struct WorkerPool::State {
  // Threads of one kind, which sleep on the same condition.
  struct Sleepers {
    std::condition_variable wake;
    unsigned sleeping = 0;  // without a ticket
    unsigned tickets = 0;   // given to sleepers that have not awoken yet

    // Returns how many of `wanted` were given.
    unsigned GiveTickets(size_t wanted) {
      const auto given = static_cast<unsigned>(std::min<size_t>(wanted, sleeping));
      sleeping -= given;
      tickets += given;
      return given;
    }
    void Wake(unsigned count) {
      for (; count > 0; --count) wake.notify_one();
    }
    void Sleep(std::unique_lock<std::mutex>& lock, const bool& stopping) {
      ++sleeping;
      wake.wait(lock, [&] { return tickets > 0 || stopping; });
      if (tickets > 0) --tickets;
    }
  };

  std::mutex mutex;
  Options options;
  IntrusiveList<Task> queue;
  Sleepers workers;
  Sleepers spares;
  std::vector<std::thread> threads;
  bool is_complete = false;  // all wanted threads have started
  bool stopping = false;
  uint64_t next_retry = 0;  // in submissions
  Stats stats;

  bool WantsSpare() const { return queue.size() > stats.threads; }
  void StartThreads();
  bool StartWorker();
  bool StartSpare();
  Refusal WhyRefused() const;
  void Work(bool is_spare);
  size_t TakeBatch(Task** batch, bool is_spare);
};

// Starts the missing threads, as many as the system allows.
void WorkerPool::State::StartThreads() {
  if (options.on_demand) {
    if (workers.sleeping == 0 && stats.threads < options.threads) StartWorker();
    return;
  }
  if (is_complete || (stats.threads != 0 && stats.submitted < next_retry)) return;
  next_retry = stats.submitted + kSubmissionsPerRetry;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned wanted = options.threads != 0 ? options.threads : std::max(1U, cores - 1);
  const unsigned wanted_spares = options.spare_thread ? 1 : 0;
  threads.reserve(wanted + wanted_spares);
  while (stats.threads < wanted) {
    if (!StartWorker()) return;
  }
  while (stats.spare_threads < wanted_spares) {
    if (!StartSpare()) return;
  }
  is_complete = true;
}

bool WorkerPool::State::StartWorker() {
  std::thread thread = StartWorkerThread([this, number = stats.threads] {
    char name[16];
    snprintf(name, sizeof(name), "ossl-async-%u", number % 1000);
    NameWorkerThread(name);
    Work(false);
  });
  if (!thread.joinable()) return false;
  threads.push_back(std::move(thread));
  ++stats.threads;
  return true;
}

bool WorkerPool::State::StartSpare() {
  std::thread thread = StartWorkerThread([this] {
    NameWorkerThread("ossl-async-idle");
    LowerWorkerPriority();
    Work(true);
  });
  if (!thread.joinable()) return false;
  threads.push_back(std::move(thread));
  ++stats.spare_threads;
  return true;
}

WorkerPool::Refusal WorkerPool::State::WhyRefused() const {
  if (stopping) return Refusal::kStopping;
  if (stats.threads == 0) return Refusal::kNoThreads;
  return queue.size() < options.max_queued ? Refusal::kNone : Refusal::kFull;
}

size_t WorkerPool::State::TakeBatch(Task** batch, bool is_spare) {
  // A spare thread may lose its core at any time. It takes more than one task only when the others will not reach them
  // soon.
  const size_t share =
      is_spare ? 1 + (queue.size() - 1) / kSparePart : (queue.size() + stats.threads - 1) / stats.threads;
  const size_t most = std::min(share, kMostInBatch);
  const uint64_t wait_ns = queue.size() / stats.threads * queue.front()->expected_ns;
  const uint64_t batch_ns = std::clamp(wait_ns / kPartOfWait, kBatchNs, kMostBatchNs);
  uint64_t expected_ns = 0;
  size_t size = 0;
  while (size < most && !queue.empty()) {
    expected_ns += queue.front()->expected_ns;
    if (size > 0 && expected_ns > batch_ns) break;
    batch[size++] = queue.PopFront();
  }
  return size;
}

void WorkerPool::State::Work(bool is_spare) {
  Sleepers& sleepers = is_spare ? spares : workers;
  bool has_worked = false;
  Task* batch[kMostInBatch];
  std::unique_lock<std::mutex> lock(mutex);
  while (!stopping) {
    if (is_spare ? !WantsSpare() : queue.empty()) {
      if (std::exchange(has_worked, false)) {
        lock.unlock();
        WipeStack();
        lock.lock();
        continue;
      }
      sleepers.Sleep(lock, stopping);
      continue;
    }
    has_worked = true;
    const size_t size = TakeBatch(batch, is_spare);
    stats.running += size;
    lock.unlock();
    for (size_t i = 0; i < size; ++i) batch[i]->Run();
    for (size_t i = 0; i + 1 < size; ++i) {
      batch[i]->is_followed = batch[i]->waker != nullptr && batch[i]->waker == batch[i + 1]->waker;
    }
    batch[size - 1]->is_followed = false;
    for (size_t i = 0; i < size; ++i) batch[i]->Done();
    lock.lock();
    stats.running -= size;
    stats.completed += size;
  }
}

WorkerPool& WorkerPool::Get() {
  static WorkerPool* pool = Create<&Get>({});
  return *pool;
}

WorkerPool& WorkerPool::ForWaiting() {
  static WorkerPool* pool = [] {
    Options options;
    options.threads = kMostWaiting;
    options.spare_thread = false;
    options.on_demand = true;
    return Create<&ForWaiting>(options);
  }();
  return *pool;
}

template <WorkerPool& (*get)()>
WorkerPool* WorkerPool::Create(const Options& options) {
  auto* pool = new WorkerPool(options);
  OnFork({[] { get().BeforeFork(); }, [] { get().AfterForkInParent(); }, [] { get().AfterForkInChild(); }});
  atexit([] {
    if (!OtherThreadsHaveEnded()) get().Stop();
  });
  return pool;
}

WorkerPool::WorkerPool(const Options& options) : state_(new State()) { state_->options = options; }

// Locks, so that the child's copy of the queue is consistent.
void WorkerPool::BeforeFork() { state_->mutex.lock(); }

void WorkerPool::AfterForkInParent() { state_->mutex.unlock(); }

void WorkerPool::AfterForkInChild() {
  // The threads stayed in the parent. The old state is left alone, condition variables included. The parent's tasks are
  // taken off its list, so that their owners may end.
  State* left = state_;
  while (left->queue.PopFront() != nullptr) {
  }
  state_ = new State();
  state_->options = left->options;
}

bool WorkerPool::Configure(const Options& options) {
  State& pool = *state_;
  const std::lock_guard<std::mutex> lock(pool.mutex);
  if (pool.stats.threads != 0) return false;
  pool.options = options;
  return true;
}

WorkerPool::Refusal WorkerPool::Submit(Task* task) {
  Refusal refusal = Refusal::kNone;
  SubmitAll(&task, 1, &refusal);
  return refusal;
}

size_t WorkerPool::SubmitAll(Task* const* tasks, size_t count, Refusal* refusal) {
  State& pool = *state_;
  size_t taken = 0;
  unsigned workers = 0;
  unsigned spares = 0;
  {
    const std::lock_guard<std::mutex> lock(pool.mutex);
    if (!pool.stopping) pool.StartThreads();
    if (pool.WhyRefused() == Refusal::kNone) taken = std::min(count, pool.options.max_queued - pool.queue.size());
    if (refusal != nullptr) *refusal = taken == count ? Refusal::kNone : pool.WhyRefused();
    for (size_t i = 0; i < taken; ++i) pool.queue.PushBack(tasks[i]);
    pool.stats.submitted += taken;
    pool.stats.refused += count - taken;
    // Awake threads look for more tasks before they sleep.
    workers = pool.workers.GiveTickets(taken);
    if (workers < taken && pool.WantsSpare()) spares = pool.spares.GiveTickets(taken - workers);
  }
  pool.workers.Wake(workers);
  pool.spares.Wake(spares);
  return taken;
}

bool WorkerPool::Cancel(Task* task) {
  State& pool = *state_;
  const std::lock_guard<std::mutex> lock(pool.mutex);
  if (!task->linked()) return false;
  pool.queue.Remove(task);
  return true;
}

WorkerPool::Stats WorkerPool::stats() const {
  State& pool = *state_;
  const std::lock_guard<std::mutex> lock(pool.mutex);
  Stats stats = pool.stats;
  stats.queued = pool.queue.size();
  return stats;
}

void WorkerPool::Stop() {
  State& pool = *state_;
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(pool.mutex);
    pool.stopping = true;
    while (pool.queue.PopFront() != nullptr) {
    }
    threads.swap(pool.threads);
  }
  pool.workers.wake.notify_all();
  pool.spares.wake.notify_all();
  for (std::thread& thread : threads) {
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();  // exit() was called on it
    } else {
      thread.join();
    }
  }
}

}  // namespace openssl_async
