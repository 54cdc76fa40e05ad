// Windows reports a stack overflow of a fiber by itself.
#include "job/stack_overflow.h"

namespace openssl_async {

void WatchForOverflow(void*, size_t) {}
void UnwatchForOverflow(void*) {}
void PrepareThreadForOverflow() {}

}  // namespace openssl_async
