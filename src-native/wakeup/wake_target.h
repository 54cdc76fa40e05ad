#pragma once

#include "wakeup/contract.h"

namespace openssl_async {

// Whoever waits. Called on the loop's thread, possibly on a job's stack (an engine may call back from inside one job on
// behalf of another): note it and return. No job may be run from here.
class WakeTarget {
 public:
  // False when nothing waits for it, nor is about to look for itself: not worth telling again.
  virtual bool OnWake(WakeKind kind) = 0;

 protected:
  ~WakeTarget() = default;
};

}  // namespace openssl_async
