// Caches of objects that may hold on to an engine or a provider: they are emptied when one goes.
#pragma once

#include <cstdint>
#include <memory>

#include "base/intrusive_list.h"

namespace openssl_async {

// When something began to be used. What was is not cached any more after ForgetAll().
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

  // Empties all caches of the process. Any thread, within no cache's lock.
  static void ForgetAll();

 protected:
  Cache();
  ~Cache() = default;
  // To be called before what TakeAll() gives away goes; more than once is harmless.
  void Unregister();
  // Gives away what is cached, which goes with the result. Any thread.
  virtual std::shared_ptr<void> TakeAll() = 0;
};

}  // namespace openssl_async
