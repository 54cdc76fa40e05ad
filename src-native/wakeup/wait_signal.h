// The pipe of the man page's example: a wait fd for a job, made readable from outside.
#pragma once

#include <memory>

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

class WaitSignal {
 public:
  static Result<std::unique_ptr<WaitSignal>> Create();
  ~WaitSignal();
  WaitSignal(const WaitSignal&) = delete;
  WaitSignal& operator=(const WaitSignal&) = delete;

  WaitFd fd() const { return fd_; }
  // Makes it readable; once is enough for any number of calls.
  void Wake();
  // Makes it unreadable again; false when nobody had woken it.
  bool Clear();

 private:
  WaitSignal() = default;

  WaitFd fd_ = OSSL_BAD_ASYNC_FD;
  WaitFd write_fd_ = OSSL_BAD_ASYNC_FD;  // the pipe's other end, where there is one
};

}  // namespace openssl_async
