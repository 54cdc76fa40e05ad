// Calls that hold a thread of the pool while somebody else does the work, such as a PKCS#11 module. The exit of the
// process runs the destructors of such a module: no call may be inside then.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace openssl_async {

// The blocking calls of one environment. Any thread.
class BlockingCalls {
 public:
  // False once closed: the call may not be made.
  bool Begin() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    ++running_;
    return true;
  }
  // May come after the call and its data are gone.
  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--running_ == 0) idle_.notify_all();
  }
  // Waits for the calls that have begun. No call begins afterwards.
  void Close() {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    idle_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;
  bool closed_ = false;
};

}  // namespace openssl_async
