// Windows fibers bring stacks of their own, which the system guards.
#include "job/job_stack.h"

namespace openssl_async {

bool ConfigureStacks(const StackOptions&) { return true; }

void PrepareStacks() {}

StackStats GetStackStats() {
  StackStats stats;
  stats.mode = StackStats::Mode::kDefault;
  return stats;
}

size_t StackHighWaterBytes() { return 0; }

}  // namespace openssl_async
