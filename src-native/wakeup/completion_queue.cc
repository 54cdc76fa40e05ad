#include "wakeup/completion_queue.h"

#include <thread>

#include "base/memory.h"

namespace openssl_async {

std::shared_ptr<CompletionQueue> CompletionQueue::Create(uv_loop_t* loop, OpenHandles& open, Receiver& receiver,
                                                         int* error) {
  std::shared_ptr<CompletionQueue> queue(new CompletionQueue(receiver));
  queue->async_ = OpenHandle<uv_async_t>(open, queue.get(), error, [loop](uv_async_t* async) {
    return uv_async_init(loop, async, [](uv_async_t* sent) {
      OrDieOfMemory([sent] { static_cast<CompletionQueue*>(sent->data)->receiver_.OnCompletions(); });
    });
  });
  return queue->async_ ? queue : nullptr;
}

bool CompletionQueue::Push(Entry* entry, bool is_followed) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    if (newest_ == nullptr) {
      oldest_ = entry;
    } else {
      newest_->next_ = entry;
    }
    newest_ = entry;
    if (is_followed || woken_) return true;
    woken_ = true;  // once for all entries until the loop looks
    sending_.fetch_add(1, std::memory_order_relaxed);
  }
  uv_async_send(async_.get());
  sending_.fetch_sub(1, std::memory_order_release);
  return true;
}

CompletionQueue::Entry* CompletionQueue::Detach() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Entry* oldest = oldest_;
  oldest_ = newest_ = nullptr;
  woken_ = false;
  return oldest;
}

void CompletionQueue::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  while (sending_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  async_.reset();
}

}  // namespace openssl_async
