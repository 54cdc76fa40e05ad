#include "wakeup/completion_queue.h"

namespace openssl_async {

std::shared_ptr<CompletionQueue> CompletionQueue::Create(uv_loop_t* loop, OpenHandles& open, Receiver& receiver,
                                                         int* error) {
  std::shared_ptr<CompletionQueue> queue(new CompletionQueue(receiver));
  queue->async_ = OpenHandle<uv_async_t>(open, queue.get(), error, [loop](uv_async_t* async) {
    return uv_async_init(
        loop, async, [](uv_async_t* sent) { static_cast<CompletionQueue*>(sent->data)->receiver_.OnCompletions(); });
  });
  return queue->async_ ? queue : nullptr;
}

bool CompletionQueue::Push(Entry* entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return false;
  if (newest_ == nullptr) {
    oldest_ = newest_ = entry;
    uv_async_send(async_.get());  // those that follow before the loop looks are seen with this one
  } else {
    newest_->next_ = entry;
    newest_ = entry;
  }
  return true;
}

CompletionQueue::Entry* CompletionQueue::Detach() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Entry* oldest = oldest_;
  oldest_ = newest_ = nullptr;
  return oldest;
}

void CompletionQueue::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  async_.reset();
}

}  // namespace openssl_async
