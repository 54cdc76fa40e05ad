// Windows fibers bring stacks of their own, which the system guards. OpenSSL makes fibers of the size that the
// program's file asks for, and offers no way to choose another.
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <atomic>

#include "job/job_stack.h"

namespace openssl_async {

namespace {

std::atomic<bool> prepared = {false};

size_t FiberStackBytes() {
  const auto* start = reinterpret_cast<const unsigned char*>(GetModuleHandleW(nullptr));
  const auto* dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(start);
  return reinterpret_cast<const IMAGE_NT_HEADERS*>(start + dos->e_lfanew)->OptionalHeader.SizeOfStackReserve;
}

}  // namespace

size_t LargestStackBytes() { return FiberStackBytes(); }

// Every smaller stack that somebody asks for fits into a fiber's.
bool ConfigureStacks(const StackOptions&) { return !prepared; }

void PrepareStacks() { prepared = true; }

StackStats GetStackStats() {
  StackStats stats;
  if (!prepared) return stats;
  stats.mode = StackStats::Mode::kDefault;
  stats.stack_size_bytes = FiberStackBytes();
  return stats;
}

size_t StackHighWaterBytes() { return 0; }

}  // namespace openssl_async
