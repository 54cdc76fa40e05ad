#include "tls/handshake_threads.h"

#include <algorithm>

#include "tls/socket.h"

namespace openssl_async {

bool HandshakeThreads::Prepare(size_t wanted) {
  wanted = HasSockets() ? std::min<size_t>(wanted, kMost) : 0;
  while (count_ < wanted) {
    auto thread = HandshakeThread::Start(
        to_loop_, [this](size_t most) -> HandshakeThread& { return Choose(most); }, commons_);
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

HandshakeThread& HandshakeThreads::Choose(size_t most) {
  most = std::min<size_t>(most, count_);
  size_t best = 0;
  for (size_t i = 1; i < most; ++i) {
    if (threads_[i]->load() < threads_[best]->load()) best = i;
  }
  return *threads_[best];
}

}  // namespace openssl_async
