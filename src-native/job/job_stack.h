// The stacks of jobs. OpenSSL's own are 32 KiB of heap, and an overflow corrupts the heap silently. Since OpenSSL 3.2
// the process can supply stacks: ours are larger and end in a guard page.
//
// Process-wide: OpenSSL takes the stack functions once, before the first job stack of the process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

struct StackOptions {
  size_t stack_size_bytes = 64 * 1024;
  // A guarded stack costs the process two memory mappings (Linux allows 65 530); beyond this many, stacks come from the
  // heap without a guard.
  size_t max_guarded_stacks = 8000;
};

struct StackStats {
  enum class Mode : uint8_t {
    kNone,     // no job stack yet
    kDefault,  // OpenSSL's own: it is older than 3.2, or jobs existed before this addon
    kGuarded,
  };
  Mode mode = Mode::kNone;
  size_t stack_size_bytes = 0;
  size_t guarded = 0;
  size_t unguarded = 0;
};

// The largest stack that ConfigureStacks() can promise.
size_t LargestStackBytes();

// False, without effect, once PrepareStacks() has run or another copy has installed its stacks.
bool ConfigureStacks(const StackOptions& options);

// Installs our stack functions if that is possible. Call it before anything that may make a job stack; any thread.
void PrepareStacks();

StackStats GetStackStats();

// The most bytes that any guarded stack has used so far. Reads all stacks: milliseconds for thousands.
size_t StackHighWaterBytes();

}  // namespace openssl_async
