// The parts of the pool's threads that depend on the platform.
#pragma once

#include <functional>
#include <thread>

namespace openssl_async {

// Not joinable when the system is out of threads or memory. The thread blocks all signals.
std::thread StartWorkerThread(std::function<void()> body);
// Names the calling thread for debuggers and profilers; at most 15 characters.
void NameWorkerThread(const char* name);
// From here on the calling thread gets the time that others leave.
void LowerWorkerPriority();

// Called around each fork(), on the forking thread; null for nothing to do. Without effect on Windows.
struct ForkHandlers {
  void (*before)() = nullptr;
  void (*in_parent)() = nullptr;
  void (*in_child)() = nullptr;
};
void OnFork(const ForkHandlers& handlers);

// Whether the process is ending and has ended every thread but this one. Call it in handlers of atexit(3).
bool OtherThreadsHaveEnded();

}  // namespace openssl_async
