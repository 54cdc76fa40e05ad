#include "tls/handshake_threads.h"

#include <algorithm>

#include "tls/socket.h"

namespace openssl_async {

bool HandshakeThreads::Prepare(const Listener& listener) {
  const size_t wanted = HasSockets() ? std::min<size_t>(listener.settings()->threads, kMost) : 0;
  while (count_ < wanted) {
    auto thread =
        HandshakeThread::Start(to_loop_, [this](const Listener& each) -> HandshakeThread& { return Choose(each); });
    if (thread == nullptr) break;
    threads_[count_] = std::move(thread);
    ++count_;
  }
  return wanted > 0 && count_ > 0;
}

void HandshakeThreads::Stop() {
  for (auto& thread : threads_) {
    if (thread != nullptr) thread->End();
  }
  count_ = 0;
  for (auto& thread : threads_) thread.reset();
}

HandshakeThread& HandshakeThreads::Choose(const Listener& listener) {
  const size_t most = std::min<size_t>(listener.settings()->threads, count_);
  size_t best = 0;
  for (size_t i = 1; i < most; ++i) {
    if (threads_[i]->load() < threads_[best]->load()) best = i;
  }
  return *threads_[best];
}

}  // namespace openssl_async
