// Shared by the native tests: a loop that must close cleanly, wake targets that remember, job functions.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>
#include <uv.h>

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "job/job.h"
#include "job/job_thread.h"
#include "wakeup/wake_target.h"

namespace openssl_async::testing {

// A loop that has nothing left when the test ends.
class TestLoop {
 public:
  TestLoop() {
    REQUIRE(uv_loop_init(&loop_) == 0);
    REQUIRE(uv_timer_init(&loop_, &watchdog_) == 0);
  }
  ~TestLoop() {
    uv_close(reinterpret_cast<uv_handle_t*>(&watchdog_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop_) == 0);
  }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  uv_loop_t* get() { return &loop_; }

  // Turns the loop until `done` is true; false when that takes unreasonably long.
  bool RunUntil(const std::function<bool()>& done) {
    bool expired = false;
    watchdog_.data = &expired;
    constexpr uint64_t kLongMs = 20'000;
    uv_timer_start(
        &watchdog_, [](uv_timer_t* timer) { *static_cast<bool*>(timer->data) = true; }, kLongMs, 0);
    while (!expired && !done()) uv_run(&loop_, UV_RUN_ONCE);
    uv_timer_stop(&watchdog_);
    return done();
  }
  // So many turns that do not wait.
  void Turn(int turns = 1) {
    for (; turns > 0; --turns) uv_run(&loop_, UV_RUN_NOWAIT);
  }

 private:
  uv_loop_t loop_ = {};
  uv_timer_t watchdog_ = {};
};

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    read_end = UniqueFd(ends[0]);
    write_end = UniqueFd(ends[1]);
  }
  void Wake() const { REQUIRE(write(write_end.get(), "X", 1) == 1); }
  void Clear() const {
    char byte = 0;
    REQUIRE(read(read_end.get(), &byte, 1) == 1);
  }
  int fd() const { return read_end.get(); }

  UniqueFd read_end;
  UniqueFd write_end;
};

class RecordingTarget final : public WakeTarget {
 public:
  bool OnWake(WakeKind kind) override {
    kinds.push_back(kind);
    return wanted;
  }
  std::vector<WakeKind> kinds;
  bool wanted = true;
};

// OpenSSL's pool belongs to the thread: tests that look at it have a thread of their own.
inline void InThreadOfItsOwn(const std::function<void()>& body) {
  std::exception_ptr failure;  // a REQUIRE that does not hold throws
  std::thread([&] {
    try {
      body();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

inline std::unique_ptr<WaitContext> NewWaitContext() {
  Result<WaitContext*> created = WaitContext::Create();
  REQUIRE(created.ok());
  return std::unique_ptr<WaitContext>(created.value());
}

// Runs a job as its application would, without a scheduler.
inline JobStatus RunOnce(Job& job) {
  JobThread& thread = JobThread::Current();
  const JobBatch batch(thread);
  return job.Run(thread);
}

}  // namespace openssl_async::testing
