#include "base/memory.h"

#include <cstdio>
#include <cstdlib>
#include <new>

#ifndef _WIN32
#include <unistd.h>
#endif

namespace openssl_async {

void DieOfMemory(size_t bytes) {
  char text[200];
  char size[32] = "memory";
  if (bytes != 0) snprintf(size, sizeof(size), "%zu bytes", bytes);
  const int length = snprintf(text, sizeof(text),
                              "(openssl-async) Out of memory: %s for the library's own bookkeeping could not be "
                              "allocated; the process cannot go on.\n",
                              size);
#ifdef _WIN32
  fwrite(text, 1, static_cast<size_t>(length), stderr);
#else
  const ssize_t written = write(STDERR_FILENO, text, static_cast<size_t>(length));
  static_cast<void>(written);
#endif
  abort();
}

}  // namespace openssl_async

#if defined(__linux__) && defined(__LP64__)
// The linker's name for our replacement of operator new(size_t).
extern "C" void* __wrap__Znwm(size_t size) {  // NOLINT
  if (void* memory = ::operator new(size, std::nothrow); memory != nullptr) return memory;
  if (size >= openssl_async::kLargeAllocationBytes) throw std::bad_alloc();
  openssl_async::DieOfMemory(size);
}
#endif
