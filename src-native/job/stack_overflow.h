// Reports a job's stack overflow before the process dies of it.
#pragma once

#include <cstddef>

namespace openssl_async {

// Registers a guard page. The first call installs a handler for SIGSEGV (SIGBUS on macOS), which passes every other
// fault on to the earlier handler. Called with the stack lock held.
void WatchForOverflow(void* guard, size_t size);
void UnwatchForOverflow(void* guard);

// Gives this thread a signal stack for the handler, unless it has one. The stack is freed when the thread ends.
void PrepareThreadForOverflow();

}  // namespace openssl_async
