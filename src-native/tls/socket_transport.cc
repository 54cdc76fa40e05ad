#include "tls/socket_transport.h"

#include <uv.h>

#include <algorithm>

namespace openssl_async {

int SocketTransport::Receive() {
  if (ended()) return 0;
  unsigned char* const buffer = buffers().input.get();
  const int count = ReadSocket(socket_.get(), buffer, TransportBuffers::kInputBytes);
  if (count == UV_EAGAIN) return 0;
  if (count < 0) return count;
  if (count == 0) {
    SetEnded();
  } else {
    Append({buffer, static_cast<size_t>(count)});
  }
  return 0;
}

void SocketTransport::KeepOutput() {
  if (!pending() && !alone()) pending_ = std::exchange(buffers().output, {});
}

int SocketTransport::Flush() {
  std::string& output = pending() ? pending_ : buffers().output;
  const bool is_kept = &output == &pending_;
  const size_t begin = is_kept ? sent_ : 0;
  if (begin == output.size()) return 0;
  int count = WriteSocket(socket_.get(), output.data() + begin, output.size() - begin);
  if (count == UV_EAGAIN) count = 0;
  const size_t end = begin + static_cast<size_t>(std::max(count, 0));
  if (is_kept) {
    sent_ = end;
    if (count < 0 || sent_ == pending_.size()) {
      std::string().swap(pending_);
      sent_ = 0;
    }
  } else {
    if (count >= 0 && end < output.size()) {
      pending_.assign(output, end, std::string::npos);
      sent_ = 0;
      portion_ = kLeastPortion;
    } else if (end >= portion_) {
      portion_ = std::min(portion_ * 2, kMostPortion);
    }
    constexpr size_t kKeptCapacity = size_t{2} * kMostPortion + 64 * 1024;
    if (output.capacity() > kKeptCapacity) std::string().swap(output);
    output.clear();
  }
  return std::min(count, 0);
}

}  // namespace openssl_async
