#pragma once

#include "wakeup/contract.h"

namespace openssl_async {

// A waiter. It is called on the loop's thread, possibly on a job's stack (an engine may call back from inside one job
// on behalf of another): it notes the event and returns, and runs no job.
class WakeTarget {
 public:
  // False when nobody waits for the event, nor is about to look by itself: further events need not be told.
  virtual bool OnWake(WakeKind kind) = 0;

 protected:
  ~WakeTarget() = default;
};

}  // namespace openssl_async
