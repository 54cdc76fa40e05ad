// A value of the whole process, made at first need and never destroyed. A failure is not kept: the next call tries
// again.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>

#include "base/result.h"

namespace openssl_async {

// For static storage: it has no destructor, so that it can be used until the process is gone.
template <typename T>
class Lasting {
 public:
  // Any thread; one thread at a time runs `make`, which returns a Result<T>.
  template <typename Make>
  Result<T*> Get(Make make) {
    if (T* found = value_.load(std::memory_order_acquire); found != nullptr) return found;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (T* found = value_.load(std::memory_order_relaxed); found != nullptr) return found;
    Result<T> made = make();
    if (!made.ok()) return made.error();
    T* value = new T(std::move(made.value()));
    value_.store(value, std::memory_order_release);
    return value;
  }

 private:
  std::atomic<T*> value_{nullptr};
  std::mutex mutex_;
};

}  // namespace openssl_async
