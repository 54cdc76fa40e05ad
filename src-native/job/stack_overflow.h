// Says what happened when a job runs off its stack, before the process dies as it would have died.
#pragma once

#include <cstddef>

namespace openssl_async {

// Registers a guard page. The first one installs a SIGSEGV handler that passes every other fault on to whoever handled
// it before. Called with the stack lock held.
void WatchForOverflow(void* guard, size_t size);
void UnwatchForOverflow(void* guard);

// The handler needs a stack that has not overflown. Gives this thread one, unless it has one; it goes with the thread.
void PrepareThreadForOverflow();

}  // namespace openssl_async
