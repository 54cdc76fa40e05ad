#include "wakeup/callback_queue.h"

#include "base/memory.h"

namespace openssl_async {

namespace {

// The address is unique among living threads.
const void* ThreadIdentity() {
  static thread_local char identity;
  return &identity;
}

struct RetiredQueues {
  std::mutex mutex;
  CallbackQueue* first = nullptr;
};

RetiredQueues& Retired() {
  static RetiredQueues* queues = new RetiredQueues();  // reachable for ever, as are the queues
  return *queues;
}

}  // namespace

int CallbackTarget::Notify(void* argument) noexcept {
  auto* target = static_cast<CallbackTarget*>(argument);
  if (target->queue_.OnOwnThread()) {
    if (target->listener_ != nullptr) target->listener_->OnWake(WakeKind::kCallback);
    return 1;
  }
  // The latest listener wins: a late callback for an earlier listener must not replace one for the current listener.
  const uint32_t epoch = target->epoch_.load(std::memory_order_acquire);
  uint32_t notified = target->notified_epoch_.load(std::memory_order_relaxed);
  while ((notified == 0 || static_cast<int32_t>(epoch - notified) > 0) &&
         !target->notified_epoch_.compare_exchange_weak(notified, epoch, std::memory_order_release,
                                                        std::memory_order_relaxed)) {
  }
  if (!target->queued_.exchange(true, std::memory_order_acq_rel)) target->queue_.Push(target);
  return 1;
}

void CallbackTarget::Listen(WakeTarget* listener) {
  listener_ = listener;
  uint32_t next = epoch_.load(std::memory_order_relaxed) + 1;
  if (next == 0) next = 1;
  epoch_.store(next, std::memory_order_release);
}

CallbackQueue* CallbackQueue::Adopt(uv_loop_t* loop, OpenHandles& open, int* error) {
  auto handle = OpenHandle<uv_async_t>(open, nullptr, error, [loop](uv_async_t* async) {
    return uv_async_init(loop, async, [](uv_async_t* sent) {
      OrDieOfMemory([sent] { static_cast<CallbackQueue*>(sent->data)->Deliver(); });
    });
  });
  if (!handle) return nullptr;
  CallbackQueue* queue = nullptr;
  {
    const std::lock_guard<std::mutex> lock(Retired().mutex);
    queue = Retired().first;
    if (queue != nullptr) Retired().first = queue->next_retired_;
  }
  if (queue == nullptr) queue = new CallbackQueue();
  queue->next_retired_ = nullptr;
  handle->data = queue;
  queue->handle_ = std::move(handle);
  queue->owner_.store(ThreadIdentity(), std::memory_order_release);
  {
    const std::lock_guard<std::mutex> lock(queue->mutex_);
    queue->async_ = queue->handle_.get();
  }
  queue->Deliver();  // callbacks from before find no listener, and the queue starts empty
  return queue;
}

void CallbackQueue::Retire() {
  owner_.store(nullptr, std::memory_order_release);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    async_ = nullptr;
  }
  handle_.reset();
  const std::lock_guard<std::mutex> lock(Retired().mutex);
  next_retired_ = Retired().first;
  Retired().first = this;
}

CallbackTarget* CallbackQueue::AcquireTarget() {
  if (free_ == nullptr) return &targets_.emplace_back(*this);
  CallbackTarget* target = free_;
  free_ = target->next_free_;
  return target;
}

void CallbackQueue::ReleaseTarget(CallbackTarget* target) {
  target->StopListening();
  target->next_free_ = free_;  // it may still be queued; its delivery will find no listener
  free_ = target;
}

bool CallbackQueue::OnOwnThread() const { return owner_.load(std::memory_order_acquire) == ThreadIdentity(); }

void CallbackQueue::Push(CallbackTarget* target) {
  CallbackTarget* head = pushed_.load(std::memory_order_relaxed);
  do {
    target->next_ = head;
  } while (!pushed_.compare_exchange_weak(head, target, std::memory_order_release, std::memory_order_relaxed));
  if (head != nullptr) return;  // the thread that made the queue non-empty wakes the loop
  const std::lock_guard<std::mutex> lock(mutex_);
  if (async_ != nullptr) uv_async_send(async_);
}

void CallbackQueue::Deliver() {
  CallbackTarget* newest = pushed_.exchange(nullptr, std::memory_order_acquire);
  CallbackTarget* oldest = nullptr;
  while (newest != nullptr) {
    CallbackTarget* next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    CallbackTarget* target = oldest;
    oldest = target->next_;
    target->next_ = nullptr;
    // From here on the target may be pushed again. The exchange shows us the writes of threads that found it queued.
    target->queued_.exchange(false, std::memory_order_acq_rel);
    const uint32_t notified = target->notified_epoch_.exchange(0, std::memory_order_acq_rel);
    if (notified == target->epoch_.load(std::memory_order_relaxed) && target->listener_ != nullptr) {
      target->listener_->OnWake(WakeKind::kCallback);
    }
  }
}

}  // namespace openssl_async
