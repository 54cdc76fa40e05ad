// Initialised OpenSSL contexts that wait for their next use. They may keep an engine that is the process's default. A
// new context can cost more than the operation itself.
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

  // An idle context, the caller's alone; null when there is none.
  Pointer Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.empty()) return nullptr;
    Pointer context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }

  // Puts a reusable context back. `taken` is the epoch from before it was taken or made.
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
