// Initialised OpenSSL contexts that wait for their next use. They may hold an engine that is the process's default. To
// make and initialise one can cost more than the operation itself.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/cache.h"

namespace openssl_async {

template <typename Pointer>
class ContextCache final : private Cache {
 public:
  ContextCache() = default;
  ~ContextCache() { Unregister(); }

  // The caller's alone until it is put back; null when there is none.
  Pointer Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return nullptr;
    Pointer context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }

  // Only in a state in which it can be used again. `taken`: before it was taken, or made.
  void Put(Pointer context, const CacheEpoch& taken) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (taken.is_current() && idle_.size() < kMostIdle) idle_.push_back(std::move(context));
  }

 private:
  static constexpr size_t kMostIdle = 64;

  std::shared_ptr<void> TakeAll() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::make_shared<std::vector<Pointer>>(std::exchange(idle_, {}));
  }

  std::mutex mutex_;
  std::vector<Pointer> idle_;
};

}  // namespace openssl_async
