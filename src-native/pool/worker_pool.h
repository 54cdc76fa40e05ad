// Threads for work that would hold the event loop. One pool for the process, shared by all its environments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/intrusive_list.h"

namespace openssl_async {

class WorkerPool {
 public:
  // Taken in the order of submission. A task must stay until Done(), or until Cancel() has succeeded.
  class Task : public ListNode<Task> {
   public:
    // On a thread of the pool.
    virtual void Run() noexcept = 0;
    // On the same thread, after all tasks of the batch have run. The batch's Done() calls follow each other, so that
    // each waker is woken once. The task may be gone when Done() returns.
    virtual void Done() noexcept = 0;
    // The expected time of Run(). Short tasks are taken several at a time.
    uint32_t expected_ns = UINT32_MAX;
    // Identifies the one that Done() wakes; null when no other task shares it.
    const void* waker = nullptr;
    // True in Done() when the thread's next Done() has the same waker, which need not be woken twice.
    bool is_followed = false;

   protected:
    ~Task() = default;
  };

  struct Options {
    unsigned threads = 0;  // 0: the cores less one, at least 1
    size_t max_queued = 1'000'000;
    // One more thread, of low priority, works only while more tasks wait than there are threads. It uses the time that
    // the event loop leaves of its core.
    bool spare_thread = true;
    // `threads` is the most. A thread starts when a task finds none asleep.
    bool on_demand = false;
  };

  struct Stats {
    unsigned threads = 0;
    unsigned spare_threads = 0;
    size_t queued = 0;
    size_t running = 0;
    uint64_t submitted = 0;
    uint64_t completed = 0;
    uint64_t refused = 0;
  };

  // Never destroyed. Its threads start with the first task and end with the process; a forked child starts anew.
  static WorkerPool& Get();
  // Threads for tasks that wait for JavaScript. Such tasks have threads of their own, because JavaScript may need the
  // pool for its answer. Further tasks wait in the queue.
  static WorkerPool& ForWaiting();
  static constexpr unsigned kMostWaiting = 64;

  // Why tasks are refused.
  enum class Refusal : uint8_t {
    kNone,
    kFull,       // max_queued tasks wait
    kStopping,   // the process ends
    kNoThreads,  // the system gave no thread; each submission asks it again
  };

  // Any thread, as the functions after it. False, without effect, once threads have started.
  bool Configure(const Options& options);
  // Without effect when the task is refused.
  Refusal Submit(Task* task);
  // Submits tasks under one lock, with one round of wake-ups. Returns how many were taken, from the first on; `refusal`
  // says why the others were not.
  size_t SubmitAll(Task* const* tasks, size_t count, Refusal* refusal = nullptr);
  // True when it was still queued: neither Run() nor Done() follows.
  bool Cancel(Task* task);
  Stats stats() const;

  // For the exit handler: waits for running tasks, drops queued ones, and takes no more.
  void Stop();

 private:
  struct State;

  explicit WorkerPool(const Options& options);
  // For the pool that `get` gives.
  template <WorkerPool& (*get)()>
  static WorkerPool* Create(const Options& options);
  void BeforeFork();
  void AfterForkInParent();
  void AfterForkInChild();

  State* state_;  // replaced in a forked child only
};

}  // namespace openssl_async
