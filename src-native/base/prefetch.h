// Asks the processor for memory that is needed soon. Thousands of paused jobs, each a handful of objects, do not stay
// in the cache.
#pragma once

#include <cstddef>

namespace openssl_async {

constexpr size_t kCacheLineBytes = 64;

inline void PrefetchLine(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#else
  static_cast<void>(address);
#endif
}

// Prefetches a whole object; null is allowed.
template <typename T>
void Prefetch(const T* object) {
  if (object == nullptr) return;
  const auto* bytes = reinterpret_cast<const char*>(object);
  for (size_t offset = 0; offset < sizeof(T); offset += kCacheLineBytes) PrefetchLine(bytes + offset);
}

}  // namespace openssl_async
