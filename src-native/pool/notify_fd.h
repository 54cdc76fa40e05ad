// The fd that tells an application without a callback that its job can go on. The fd stays in its wait context for the
// context's whole life: a new one for each pause costs several times the pause itself.
#pragma once

#include "openssl/pointers.h"

namespace openssl_async {

class NotifyFd {
 public:
  // The fd of `context`, made by the first call. Invalid when the system has no more fds. Called on the context's
  // thread, in its job.
  static NotifyFd Of(ASYNC_WAIT_CTX* context);

  bool valid() const { return valid_; }
  // Makes the fd readable. Any thread, as long as the wait context lives.
  void Signal() const;
  // Takes back one Signal(). The context's thread.
  void Clear() const;

 private:
  bool valid_ = false;
  WaitFd wait_end_ = {};
  WaitFd signal_end_ = {};
};

}  // namespace openssl_async
