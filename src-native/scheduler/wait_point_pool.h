// A scheduler's idle wait points. A wait point in use belongs to its job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "wakeup/wait_point.h"

namespace openssl_async {

// Engines keep fds in the wait contexts of their jobs. Such a context goes only to a job of the same group: in another
// job's context, the fds would count as that job's own offers.
class WaitPointPool {
 public:
  // Null when there is none.
  std::unique_ptr<WaitPoint> Take(const void* group);
  // The number of calls of ForgetFds(), on whichever pool, that this pool has seen.
  uint32_t generation() const { return generation_; }
  // `generation` is the one when the wait point was taken: after a later ForgetFds(), it does not come back with fds.
  // The pool keeps at most `most_with_fds` wait points with fds.
  void Give(std::unique_ptr<WaitPoint> wait_point, const void* group, uint32_t generation, size_t most_with_fds);
  // Drops all kept fds: in this pool now, in the pools of other threads at their next Take().
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
