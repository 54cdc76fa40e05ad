// A scheduler's wait points between jobs. In a job's hands they are the job's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "wakeup/wait_point.h"

namespace openssl_async {

// Engines keep fds in the wait contexts of their jobs. Such a context goes to a job of the same group only: another
// job's wait would take them for fds that the job offers.
class WaitPointPool {
 public:
  // Null when there is none.
  std::unique_ptr<WaitPoint> Take(const void* group);
  // Counts the calls of ForgetFds(), of whichever pool, that Take() has seen.
  uint32_t generation() const { return generation_; }
  // `generation` is the one in which it was taken: what is forgotten since does not come back with fds. So many with
  // fds are kept in all.
  void Give(std::unique_ptr<WaitPoint> wait_point, const void* group, uint32_t generation, size_t most_with_fds);
  // All fds that are kept go: here now, in the pools of other threads when one is taken there next.
  void ForgetFds();
  void Clear();

 private:
  void DropForgotten();
  void DropOneWithFds(const void* group);

  std::vector<std::unique_ptr<WaitPoint>> free_;
  std::unordered_map<const void*, std::vector<std::unique_ptr<WaitPoint>>> with_fds_;
  size_t count_with_fds_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace openssl_async
