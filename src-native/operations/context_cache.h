// Initialised OpenSSL contexts that wait for their next use. To make and initialise one can cost more than the
// operation itself.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace openssl_async {

template <typename Pointer>
class ContextCache {
 public:
  // The caller's alone until it is put back; null when there is none.
  Pointer Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return nullptr;
    Pointer context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }

  // Only in a state in which it can be used again.
  void Put(Pointer context) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() < kMostIdle) idle_.push_back(std::move(context));
  }

 private:
  static constexpr size_t kMostIdle = 64;

  std::mutex mutex_;
  std::vector<Pointer> idle_;
};

}  // namespace openssl_async
