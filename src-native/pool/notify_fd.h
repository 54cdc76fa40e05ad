// The fd by which the pool tells an application that a job of its can go on, when it has set no callback. It stays in
// its wait context for the context's whole life: to make one anew for each pause costs several times the pause itself.
#pragma once

#include "openssl/pointers.h"

namespace openssl_async {

class NotifyFd {
 public:
  // That of `context`, made and added to it when it has none yet. Invalid when the system has no more fds. The thread
  // and job of the context.
  static NotifyFd Of(ASYNC_WAIT_CTX* context);

  bool valid() const { return valid_; }
  // Makes it readable. Any thread, as long as the wait context lives.
  void Signal() const;
  // Takes back one Signal(). The thread of the context.
  void Clear() const;

 private:
  bool valid_ = false;
  WaitFd wait_end_ = {};
  WaitFd signal_end_ = {};
};

}  // namespace openssl_async
