// Threads for work that would hold the event loop. One pool for the process, shared by all its environments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/intrusive_list.h"

namespace openssl_async {

class WorkerPool {
 public:
  // Taken in the order of submission. It must stay until Done(), or until Cancel() succeeded.
  class Task : public ListNode<Task> {
   public:
    // On a thread of the pool.
    virtual void Run() noexcept = 0;
    // On the same thread, after all tasks that it took along have run, one right after the other: whom they wake is
    // woken once. The task may be gone when this returns.
    virtual void Done() noexcept = 0;
    // What Run() is expected to take. Short tasks are taken several at a time.
    uint32_t expected_ns = UINT32_MAX;
    // Whom Done() wakes; null for somebody of its own.
    const void* waker = nullptr;
    // In Done(): the same thread calls it right afterwards for another task with this waker, who need not be woken
    // twice.
    bool is_followed = false;

   protected:
    ~Task() = default;
  };

  struct Options {
    unsigned threads = 0;  // 0: the cores less one, at least 1
    size_t max_queued = 1'000'000;
    // One thread more, of low priority, that works only while more tasks wait than there are threads: it takes what the
    // event loop leaves of its core.
    bool spare_thread = true;
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

  // Why tasks are not taken.
  enum class Refusal : uint8_t {
    kNone,
    kFull,       // so many wait as may
    kStopping,   // the process ends
    kNoThreads,  // the system gave no thread; each submission asks it again
  };

  // Any thread, all of them. False, without effect, once threads have started.
  bool Configure(const Options& options);
  // Without effect when it is refused.
  Refusal Submit(Task* task);
  // As many Submit() one after the other, with one look at the queue and one round of wake-ups. How many were taken,
  // from the first on; `refusal` says why not the others.
  size_t SubmitAll(Task* const* tasks, size_t count, Refusal* refusal = nullptr);
  // True when it was still queued: neither Run() nor Done() follows.
  bool Cancel(Task* task);
  Stats stats() const;

  // What the handler of exit() calls: waits for the tasks that run, drops those that are queued, takes no more.
  void Stop();

 private:
  struct State;

  WorkerPool();
  void BeforeFork();
  void AfterForkInParent();
  void AfterForkInChild();

  State* state_;  // replaced in a forked child only
};

}  // namespace openssl_async
