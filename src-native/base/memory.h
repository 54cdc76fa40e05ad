// Out of memory: large allocations fail, small ones end the process.
//
// Large allocations grow with the caller's input. They throw std::bad_alloc or use std::nothrow, and callers report
// ERR_ASYNC_OUT_OF_MEMORY. Small allocations are the library's own bookkeeping: half a list entry cannot be undone
// everywhere, and a process without memory for it cannot report an error either. The process ends and says why. On
// Linux the linker sends every `new` of the addon through here (--wrap in binding.gyp).
#pragma once

#include <cstddef>
#include <new>

namespace openssl_async {

// An allocation of this size or more counts as large.
constexpr size_t kLargeAllocationBytes = size_t{64} * 1024;

// Reports that `bytes` bytes (0: unknown) could not be allocated, without allocating, and ends the process.
[[noreturn]] void DieOfMemory(size_t bytes);

// Runs `body` where no caller can take an exception: in a libuv callback, or on a thread of the pool.
template <typename Body>
void OrDieOfMemory(Body&& body) {
  try {
    body();
  } catch (const std::bad_alloc&) {
    DieOfMemory(0);
  }
}

}  // namespace openssl_async
