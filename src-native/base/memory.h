// What becomes of the addon when there is no memory.
//
// Large allocations, which grow with what the user gives or asks for, throw std::bad_alloc as ever, or are made with
// std::nothrow: callers turn that into ERR_ASYNC_OUT_OF_MEMORY. Small ones are the library's own bookkeeping. Half of a
// list entry cannot be undone everywhere, and a process that has no room for it cannot report an error either: it ends,
// and says why. On Linux the linker sends every `new` of the addon through here (--wrap in binding.gyp).
#pragma once

#include <cstddef>
#include <new>

namespace openssl_async {

// From here on an allocation counts as large.
constexpr size_t kLargeAllocationBytes = size_t{64} * 1024;

// Says that so many bytes (0: unknown) could not be had, without needing memory for it, and ends the process.
[[noreturn]] void DieOfMemory(size_t bytes);

// Runs `body` where no caller can take an exception: in a callback of libuv's, on a thread of the pool.
template <typename Body>
void OrDieOfMemory(Body&& body) {
  try {
    body();
  } catch (const std::bad_alloc&) {
    DieOfMemory(0);
  }
}

}  // namespace openssl_async
