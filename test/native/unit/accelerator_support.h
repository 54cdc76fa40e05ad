// Shared by the accelerator's tests: OpenSSL jobs driven by hand, without a scheduler, so that every pause is counted.
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "openssl/pointers.h"
#include "pool/offload.h"
#include "support.h"

namespace openssl_async::testing {

// How an application learns that a job of its can go on.
enum class Wait { kFd, kCallback };

// A job that calls a function, with a wait context of its own. To be used by one thread.
class HandJob {
 public:
  explicit HandJob(std::function<void()> body, Wait wait = Wait::kCallback)
      : body_(std::move(body)), wait_(wait), context_(ASYNC_WAIT_CTX_new()) {
    REQUIRE(context_ != nullptr);
    if (wait == Wait::kCallback) ASYNC_WAIT_CTX_set_callback(context_.get(), OnCallback, this);
  }

  // Starts or resumes it, ready or not. False once it has finished.
  bool Step() {
    auto* self = this;
    int returned = 0;
    const int status = ASYNC_start_job(&job_, context_.get(), &returned, Run, &self, sizeof(self));
    if (status == ASYNC_PAUSE) {
      ++pauses_;
      return true;
    }
    REQUIRE(status == ASYNC_FINISH);
    finished_ = true;
    return false;
  }

  // Blocks until the application is told, in the way that it chose.
  void AwaitWakeUp() {
    if (wait_ == Wait::kCallback) {
      std::unique_lock<std::mutex> lock(mutex_);
      called_.wait(lock, [this] { return calls_ > 0; });
      --calls_;
      return;
    }
    pollfd readable = {fd(), POLLIN, 0};
    REQUIRE(poll(&readable, 1, -1) == 1);
  }

  bool told() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_ > 0;
  }

  HandJob& RunToEnd() {
    while (Step()) AwaitWakeUp();
    return *this;
  }

  unsigned pauses() const { return pauses_; }
  bool finished() const { return finished_; }
  ASYNC_WAIT_CTX* context() const { return context_.get(); }
  size_t fd_count() const {
    size_t count = 0;
    REQUIRE(ASYNC_WAIT_CTX_get_all_fds(context_.get(), nullptr, &count) == 1);
    return count;
  }
  WaitFd fd() const {
    size_t count = 1;
    WaitFd found = -1;
    REQUIRE(fd_count() == 1);
    REQUIRE(ASYNC_WAIT_CTX_get_all_fds(context_.get(), &found, &count) == 1);
    return found;
  }
  bool fd_readable() const {
    pollfd readable = {fd(), POLLIN, 0};
    return poll(&readable, 1, 0) == 1;
  }

 private:
  static int Run(void* argument) {
    (*static_cast<HandJob**>(argument))->body_();
    return 1;
  }
  static int OnCallback(void* argument) {
    auto* self = static_cast<HandJob*>(argument);
    const std::lock_guard<std::mutex> lock(self->mutex_);
    ++self->calls_;
    self->called_.notify_one();
    return 1;
  }

  std::function<void()> body_;
  Wait wait_;
  WaitCtxPointer context_;
  ASYNC_JOB* job_ = nullptr;
  unsigned pauses_ = 0;
  bool finished_ = false;
  std::mutex mutex_;
  std::condition_variable called_;
  unsigned calls_ = 0;
};

// Counts the pauses of `body`, whose checks must not throw: it runs on a job's stack.
inline unsigned PausesOf(const std::function<void()>& body, Wait wait = Wait::kCallback) {
  return HandJob(body, wait).RunToEnd().pauses();
}

// Job stacks belong to the thread, and to the tests that look at them.
inline void WithJobs(const std::function<void()>& body) {
  InThreadOfItsOwn([&] {
    body();
    ASYNC_cleanup_thread();
  });
}

// Returns the result of `body` in a forked process, whose pool has not begun. The fork is killed, because leak checkers
// would complain at an ordinary end of the data of threads that were not copied.
inline bool InForkedChild(const std::function<bool()>& body) {
  const Pipe result;
  const pid_t child = fork();
  if (child == 0) {
    const char byte = body() ? 1 : 0;
    static_cast<void>(!write(result.write_end.get(), &byte, 1));
    execlp("true", "true", nullptr);
    _exit(1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  char byte = 0;
  pollfd readable = {result.read_end.get(), POLLIN, 0};
  return poll(&readable, 1, 0) == 1 && read(result.read_end.get(), &byte, 1) == 1 && byte == 1;
}

class Gate {
 public:
  // Tells under the lock: the waiter may end it at once.
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

inline uint64_t Offloads(OffloadClass operation) { return GetAcceleratorStats().of(operation).offloaded; }

}  // namespace openssl_async::testing
