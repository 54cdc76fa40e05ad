#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "job/copies.h"
#include "job/job_stack.h"
#include "job/stack_overflow.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

// Sits at the high end of a guarded stack, beyond the job's part, and links all guarded stacks into a list.
struct GuardedStack {
  GuardedStack* next;
  GuardedStack* previous;
  size_t mapped_bytes;  // guard page, stack and this header
};

// Process-wide and never destroyed: OpenSSL frees stacks as late as in its own atexit handler.
struct Stacks {
  std::mutex mutex;
  StackOptions options;
  StackStats stats;
  bool prepared = false;
  GuardedStack* all = nullptr;
  const SharedStacks* others = nullptr;  // another copy's, if OpenSSL uses its stack functions
};

Stacks& Process() {
  static Stacks* stacks = new Stacks();
  return *stacks;
}

size_t PageSize() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// A stack from the heap starts off a page boundary, which tells it from a guarded one.
constexpr size_t kHeapOffset = 64;

void* AllocateFromHeap(size_t size) {
  void* block = nullptr;
  if (posix_memalign(&block, PageSize(), size + kHeapOffset) != 0) return nullptr;
  return static_cast<char*>(block) + kHeapOffset;
}

void* AllocateGuarded(Stacks& stacks, size_t size) {
  const size_t mapped = PageSize() + size;
  void* base = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  char* stack = static_cast<char*>(base) + PageSize();
  if (mprotect(stack, size, PROT_READ | PROT_WRITE) != 0) {
    munmap(base, mapped);
    return nullptr;
  }
  auto* header = reinterpret_cast<GuardedStack*>(stack + size - sizeof(GuardedStack));
  header->mapped_bytes = mapped;
  header->previous = nullptr;
  header->next = stacks.all;
  if (stacks.all != nullptr) stacks.all->previous = header;
  stacks.all = header;
  return stack;
}

GuardedStack* HeaderOf(const Stacks& stacks, void* stack) {
  return reinterpret_cast<GuardedStack*>(static_cast<char*>(stack) + stacks.stats.stack_size_bytes -
                                         sizeof(GuardedStack));
}

// OpenSSL asks for 32 KiB; the job gets the size that we answer in `size`.
void* AllocateStack(size_t* size) {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  const size_t stack_size = stacks.stats.stack_size_bytes;
  if (stacks.stats.guarded < stacks.options.max_guarded_stacks) {
    if (void* stack = AllocateGuarded(stacks, stack_size); stack != nullptr) {
      ++stacks.stats.guarded;
      WatchForOverflow(static_cast<char*>(stack) - PageSize(), PageSize());
      *size = stack_size - sizeof(GuardedStack);
      return stack;
    }
  }
  void* stack = AllocateFromHeap(stack_size);
  if (stack == nullptr) return nullptr;
  ++stacks.stats.unguarded;
  *size = stack_size;
  return stack;
}

void FreeStack(void* stack) {
  if (stack == nullptr) return;
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  if (reinterpret_cast<uintptr_t>(stack) % PageSize() != 0) {
    --stacks.stats.unguarded;
    free(static_cast<char*>(stack) - kHeapOffset);
    return;
  }
  GuardedStack* header = HeaderOf(stacks, stack);
  (header->previous == nullptr ? stacks.all : header->previous->next) = header->next;
  if (header->next != nullptr) header->next->previous = header->previous;
  --stacks.stats.guarded;
  char* guard = static_cast<char*>(stack) - PageSize();
  UnwatchForOverflow(guard);
  munmap(guard, header->mapped_bytes);
}

// A fresh mapping reads as zeros, so the first non-zero word from the low end is the deepest one that was written.
// Untouched pages are skipped, not brought in.
size_t UsedBytes(const GuardedStack* header) {
  const size_t size = header->mapped_bytes - PageSize();
  const char* high = reinterpret_cast<const char*>(header);
  const char* low = high + sizeof(GuardedStack) - size;
  for (const char* page = low; page < high; page += PageSize()) {
    unsigned char resident = 0;
#ifdef __APPLE__
    char* vector = reinterpret_cast<char*>(&resident);
#else
    unsigned char* vector = &resident;
#endif
    if (mincore(const_cast<char*>(page), PageSize(), vector) == 0 && (resident & 1) == 0) continue;
    const auto* word = reinterpret_cast<const uintptr_t*>(page);
    const auto* end = reinterpret_cast<const uintptr_t*>(page + PageSize() < high ? page + PageSize() : high);
    for (; word < end; ++word) {
      if (*word != 0) return static_cast<size_t>(high - reinterpret_cast<const char*>(word));
    }
  }
  return 0;
}

StackStats OwnStats() {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  return stacks.stats;
}

uint64_t OwnHighWaterBytes() {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  size_t most = 0;
  for (const GuardedStack* stack = stacks.all; stack != nullptr; stack = stack->next) {
    const size_t used = UsedBytes(stack);
    if (used > most) most = used;
  }
  return most;
}

void TellStats(SharedStackStats* stats) {
  const StackStats own = OwnStats();
  stats->stack_size_bytes = own.stack_size_bytes;
  stats->guarded = own.guarded;
  stats->unguarded = own.unguarded;
}

const SharedStacks kOwnStacks = {sizeof(SharedStacks), &TellStats, &OwnHighWaterBytes};

// Installs our functions, unless another copy has installed its own: the copy that makes a stack must also free it.
// OpenSSL itself would accept ours until the first stack exists.
bool Install(Stacks& stacks) {
  const auto set_mem_functions = GetOptionalSymbols().async_set_mem_functions;
  if (set_mem_functions == nullptr || Copies::unknown()) return false;
  SharedRegistry& registry = Copies::Registry();
  registry.lock();
  stacks.others = registry.stacks;
  const bool installed = stacks.others == nullptr && set_mem_functions(&AllocateStack, &FreeStack) == 1;
  if (installed) registry.stacks = &kOwnStacks;
  registry.unlock();
  return installed;
}

bool AnyInstalled() {
  SharedRegistry& registry = Copies::Registry();
  registry.lock();
  const bool installed = registry.stacks != nullptr;
  registry.unlock();
  return installed;
}

const SharedStacks* Others() {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  return stacks.others;
}

}  // namespace

size_t LargestStackBytes() { return SIZE_MAX; }

bool ConfigureStacks(const StackOptions& options) {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  if (stacks.prepared || AnyInstalled()) return false;
  stacks.options = options;
  return true;
}

void PrepareStacks() {
  Stacks& stacks = Process();
  const std::lock_guard<std::mutex> lock(stacks.mutex);
  if (stacks.prepared) return;
  stacks.prepared = true;
  stacks.stats.mode = StackStats::Mode::kDefault;
  stacks.stats.stack_size_bytes = 32 * 1024;
  if (!Install(stacks)) return;
  stacks.stats.mode = StackStats::Mode::kGuarded;
  stacks.stats.stack_size_bytes = (stacks.options.stack_size_bytes + PageSize() - 1) / PageSize() * PageSize();
}

StackStats GetStackStats() {
  const SharedStacks* others = Others();
  if (others == nullptr) return OwnStats();
  SharedStackStats theirs = {sizeof(theirs), 0, 0, 0};
  others->get_stats(&theirs);
  StackStats stats;
  stats.mode = StackStats::Mode::kGuarded;
  stats.stack_size_bytes = theirs.stack_size_bytes;
  stats.guarded = theirs.guarded;
  stats.unguarded = theirs.unguarded;
  return stats;
}

size_t StackHighWaterBytes() {
  const SharedStacks* others = Others();
  return others == nullptr ? OwnHighWaterBytes() : others->high_water_bytes();
}

}  // namespace openssl_async
