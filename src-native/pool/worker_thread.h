// What differs from platform to platform about the pool's threads.
#pragma once

#include <functional>
#include <thread>

namespace openssl_async {

// Empty (not joinable) when the system has no room for another thread, or no memory. Signals stay with the threads that
// expect them.
std::thread StartWorkerThread(std::function<void()> body);
// Of the calling thread, for debuggers and profilers; at most 15 characters.
void NameWorkerThread(const char* name);
// From here on the calling thread gets what others leave.
void LowerWorkerPriority();

// Where a process can be copied: called around each fork(), on its thread; null for nothing to do.
struct ForkHandlers {
  void (*before)() = nullptr;
  void (*in_parent)() = nullptr;
  void (*in_child)() = nullptr;
};
void OnFork(const ForkHandlers& handlers);

}  // namespace openssl_async
