// Caches of objects that may keep an engine or a provider alive. They are emptied when one is unloaded.
#pragma once

#include <cstdint>
#include <memory>

#include "base/intrusive_list.h"

namespace openssl_async {

// The time at which an object began to be used. An object from before the last ForgetAll() is not cached any more.
class CacheEpoch {
 public:
  CacheEpoch();
  bool is_current() const;

 private:
  uint32_t value_;
};

class Cache : public ListNode<Cache> {
 public:
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Empties all caches of the process. Any thread; the caller holds no cache's lock.
  static void ForgetAll();

 protected:
  Cache();
  ~Cache() = default;
  // Call it before the members that TakeAll() gives away are destroyed; a second call is harmless.
  void Unregister();
  // Gives away the cached objects, which the result frees. Any thread.
  virtual std::shared_ptr<void> TakeAll() = 0;
};

}  // namespace openssl_async
