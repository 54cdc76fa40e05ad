// Runs work on the process's pool while the asking job is paused. Outside a job, or when the pool refuses, the work
// runs on the caller's thread. Work is never lost; the statistics count each way.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace openssl_async {

enum class OffloadClass : uint8_t { kKeyManagement, kSignature, kAsymCipher, kKeyExchange, kKem, kKdf };
constexpr size_t kOffloadClasses = 6;

// Counts since the process began, by the provider's classes of operations.
struct AcceleratorStats {
  struct Counts {
    uint64_t offloaded = 0;
    uint64_t inlined = 0;  // outside a job, or too short to be worth a pause
    uint64_t refused = 0;  // in a job, but run inline: the pool was full or gone, or could not notify
  };
  Counts classes[kOffloadClasses];

  const Counts& of(OffloadClass operation) const { return classes[static_cast<size_t>(operation)]; }
};

AcceleratorStats GetAcceleratorStats();
// As in the names of the provider's parameters: "keymgmt", "signature", …
const char* OffloadClassName(size_t index);

// The measured time of one kind of work with one key. Any thread.
class RunTime {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  uint32_t expected_ns() const { return expected_ns_.load(std::memory_order_relaxed); }
  void Record(uint64_t ns);

 private:
  std::atomic<uint32_t> expected_ns_{kUnknown};
};

// A null `run_time` means that the time is neither known nor measured.
int OffloadCall(OffloadClass operation, RunTime* run_time, int (*work)(void*), void* argument);

// Calls `work`, an int(), and returns its result. The work's OpenSSL errors are in this thread's queue, as if it had
// run here. The work must not look at the current job, and nobody else may use its data meanwhile.
template <typename Work>
int Offload(OffloadClass operation, RunTime* run_time, Work&& work) {
  using Plain = const std::remove_reference_t<Work>;
  const auto call = [](void* argument) { return (*static_cast<Plain*>(argument))(); };
  return OffloadCall(operation, run_time, call, const_cast<void*>(static_cast<const void*>(&work)));
}

// Counts work that is too short for a pause.
void CountInline(OffloadClass operation);

}  // namespace openssl_async
