// Memory for many bytes that threads hand to one another, used again: fresh memory costs more than copying into it.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace openssl_async {

class BufferPool {
 public:
  // Empty, with the capacity of an earlier one if there is one. Any thread.
  std::string Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return {};
    std::string buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  // Any thread.
  void Give(std::string buffer) {
    if (buffer.capacity() < kLeast || buffer.capacity() > kMost) return;
    buffer.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.size() < kMostFree) free_.push_back(std::move(buffer));
  }

 private:
  static constexpr size_t kLeast = 4 * 1024;
  static constexpr size_t kMost = 2 * 1024 * 1024;
  static constexpr size_t kMostFree = 8;

  std::mutex mutex_;
  std::vector<std::string> free_;
};

}  // namespace openssl_async
