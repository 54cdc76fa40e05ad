#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "job/stack_overflow.h"

namespace openssl_async {

namespace {

constexpr size_t kSignalStackBytes = 32 * 1024;

// Read by the signal handler, which may take no lock: a fixed table, open addressing, one atomic word per guard.
constexpr size_t kSlots = 1 << 15;
std::atomic<uintptr_t> guards[kSlots];
std::atomic<size_t> guard_bytes{0};
constexpr uintptr_t kVacated = 1;

// The signal that a touched guard page raises.
#ifdef __APPLE__
constexpr int kFault = SIGBUS;
#else
constexpr int kFault = SIGSEGV;
#endif

struct sigaction previous_action;

size_t SlotOf(uintptr_t guard) { return (guard / guard_bytes.load(std::memory_order_relaxed)) * 0x9E3779B1U % kSlots; }

bool IsGuard(uintptr_t address) {
  const size_t bytes = guard_bytes.load(std::memory_order_relaxed);
  if (bytes == 0) return false;
  const uintptr_t guard = address / bytes * bytes;
  for (size_t slot = SlotOf(guard), probes = 0; probes < kSlots; slot = (slot + 1) % kSlots, ++probes) {
    const uintptr_t found = guards[slot].load(std::memory_order_acquire);
    if (found == guard) return true;
    if (found == 0) return false;
  }
  return false;
}

void Say(const char* text) {
  const ssize_t written = write(STDERR_FILENO, text, strlen(text));
  static_cast<void>(written);
}

// Async-signal-safe throughout.
void OnFault(int signal, siginfo_t* info, void* context) {
  if (IsGuard(reinterpret_cast<uintptr_t>(info->si_addr))) {
    Say("openssl-async: an OpenSSL async job overflowed its stack. The job function, or the engine or provider that it "
        "called, needs more: raise configure({ stackSizeBytes }).\n");
    struct sigaction fallback = {};
    fallback.sa_handler = SIG_DFL;
    sigaction(kFault, &fallback, nullptr);
    return;  // faults again, and ends the process the default way
  }
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    sigaction(kFault, &previous_action, nullptr);  // faults again, as if we had never been here
  }
}

void Install() {
  struct sigaction action = {};
  action.sa_sigaction = &OnFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(kFault, &action, &previous_action);
}

// This thread's signal stack, if we had to make it.
class SignalStack {
 public:
  SignalStack() {
    stack_t current = {};
    if (sigaltstack(nullptr, &current) != 0 || (current.ss_flags & SS_DISABLE) == 0) return;
    memory_ = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) return;
    stack_t ours = {};
    ours.ss_sp = memory_;
    ours.ss_size = kSignalStackBytes;
    sigaltstack(&ours, nullptr);
  }
  ~SignalStack() {
    if (memory_ == MAP_FAILED) return;
    stack_t current = {};
    if (sigaltstack(nullptr, &current) != 0 || current.ss_sp != memory_) return;  // somebody replaced it
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    munmap(memory_, kSignalStackBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = MAP_FAILED;
};

}  // namespace

void WatchForOverflow(void* guard, size_t size) {
  if (guard_bytes.exchange(size) == 0) Install();
  const auto address = reinterpret_cast<uintptr_t>(guard);
  for (size_t slot = SlotOf(address), probes = 0; probes < kSlots; slot = (slot + 1) % kSlots, ++probes) {
    const uintptr_t found = guards[slot].load(std::memory_order_relaxed);
    if (found > kVacated) continue;
    guards[slot].store(address, std::memory_order_release);
    return;
  }
}

void UnwatchForOverflow(void* guard) {
  const auto address = reinterpret_cast<uintptr_t>(guard);
  for (size_t slot = SlotOf(address), probes = 0; probes < kSlots; slot = (slot + 1) % kSlots, ++probes) {
    const uintptr_t found = guards[slot].load(std::memory_order_relaxed);
    if (found == 0) return;
    if (found != address) continue;
    guards[slot].store(kVacated, std::memory_order_release);
    return;
  }
}

void PrepareThreadForOverflow() { static thread_local SignalStack stack; }

}  // namespace openssl_async
