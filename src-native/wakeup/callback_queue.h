// Receives wait contexts' callbacks (ASYNC_WAIT_CTX_set_callback(3)), on the loop's own thread or on any other.
//
// An engine keeps the callback and its argument for as long as it likes; a response may arrive after the wait context,
// the environment and the thread are gone. So queues and targets are never freed. A queue whose environment ended is
// adopted by a later environment, with all its targets.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "wakeup/uv_handle.h"
#include "wakeup/wake_target.h"

namespace openssl_async {

class CallbackQueue;

// The argument of one wait context's callback.
class CallbackTarget {
 public:
  explicit CallbackTarget(CallbackQueue& queue) : queue_(queue) {}
  CallbackTarget(const CallbackTarget&) = delete;
  CallbackTarget& operator=(const CallbackTarget&) = delete;

  // The ASYNC_callback_fn; `argument` is a CallbackTarget. Any thread, at any time, any number of calls.
  static int Notify(void* argument) noexcept;

  // From here on callbacks go to `listener`; earlier ones are ignored. Loop thread.
  void Listen(WakeTarget* listener);
  // From here on callbacks go nowhere.
  void StopListening() { listener_ = nullptr; }

 private:
  friend class CallbackQueue;

  CallbackQueue& queue_;
  WakeTarget* listener_ = nullptr;       // loop thread only
  CallbackTarget* next_ = nullptr;       // in the queue's stack of pushed targets
  CallbackTarget* next_free_ = nullptr;  // loop thread only
  std::atomic<bool> queued_{false};
  std::atomic<uint32_t> epoch_{1};           // of the listener; written by the loop thread
  std::atomic<uint32_t> notified_epoch_{0};  // of the callback; 0 for none
};

class CallbackQueue {
 public:
  // Takes a queue for the calling thread and its loop. Null, and libuv's code in `error`, when that fails.
  static CallbackQueue* Adopt(uv_loop_t* loop, OpenHandles& open, int* error);
  // Gives the queue back. Later callbacks do nothing.
  void Retire();

  CallbackTarget* AcquireTarget();
  // Do not release a target whose job was abandoned: its engine may still call.
  void ReleaseTarget(CallbackTarget* target);

  // Delivers callbacks that other threads have queued. The loop calls it by itself; a drain without the loop calls it
  // directly.
  void Deliver();

  void Ref() { uv_ref(reinterpret_cast<uv_handle_t*>(async_)); }
  void Unref() { uv_unref(reinterpret_cast<uv_handle_t*>(async_)); }

 private:
  friend class CallbackTarget;
  CallbackQueue() = default;

  bool OnOwnThread() const;
  void Push(CallbackTarget* target);

  std::atomic<const void*> owner_{nullptr};       // identifies the thread
  std::atomic<CallbackTarget*> pushed_{nullptr};  // newest first
  std::mutex mutex_;                              // guards async_ against uv_close() while others send
  uv_async_t* async_ = nullptr;
  UvHandlePointer<uv_async_t> handle_;
  CallbackTarget* free_ = nullptr;
  std::deque<CallbackTarget> targets_;
  CallbackQueue* next_retired_ = nullptr;
};

}  // namespace openssl_async
