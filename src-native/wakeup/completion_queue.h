// Carries entries that other threads have finished to the loop's thread. Many entries share one wake-up of the loop.
#pragma once

#include <uv.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "wakeup/uv_handle.h"

namespace openssl_async {

class CompletionQueue {
 public:
  class Entry {
   private:
    friend class CompletionQueue;
    Entry* next_ = nullptr;
  };
  class Receiver {
   public:
    // Loop thread: something was pushed since the last TakeAll().
    virtual void OnCompletions() = 0;

   protected:
    ~Receiver() = default;
  };

  // Shared with the threads that push. Null, and libuv's code in `error`, when libuv refuses.
  static std::shared_ptr<CompletionQueue> Create(uv_loop_t* loop, OpenHandles& open, Receiver& receiver, int* error);

  // Any thread. False when the queue is closed: the entry stays the caller's. `is_followed` leaves the loop asleep: the
  // caller pushes another entry right away, and the last one without `is_followed`.
  bool Push(Entry* entry, bool is_followed = false);
  // Loop thread: calls `each` for every entry, oldest first.
  template <typename F>
  void TakeAll(F each) {
    Entry* entry = Detach();
    while (entry != nullptr) {
      Entry* next = entry->next_;
      entry->next_ = nullptr;
      each(entry);
      entry = next;
    }
  }
  // Loop thread: nothing can be pushed from here on; earlier entries can still be taken.
  void Close();

  void Ref() { uv_ref(reinterpret_cast<uv_handle_t*>(async_.get())); }
  void Unref() { uv_unref(reinterpret_cast<uv_handle_t*>(async_.get())); }

 private:
  explicit CompletionQueue(Receiver& receiver) : receiver_(receiver) {}
  Entry* Detach();

  Receiver& receiver_;
  UvHandlePointer<uv_async_t> async_;
  // Threads that are waking the loop. They do it outside the lock: the loop would wake and find the lock taken.
  std::atomic<int> sending_{0};
  std::mutex mutex_;  // guards the members after it
  Entry* oldest_ = nullptr;
  Entry* newest_ = nullptr;
  bool woken_ = false;  // the loop, which has not looked since
  bool closed_ = false;
};

}  // namespace openssl_async
