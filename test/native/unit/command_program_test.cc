#include "job/command_program.h"

#include <openssl/async.h>

#include "support.h"

namespace openssl_async::testing {

namespace {

using Kind = Command::Kind;

// A program's job, led as the binding leads it.
class Led {
 public:
  Led() : context_(NewWaitContext()) {
    job_.Prepare(context_.get(), &CommandProgram::Main, &program_, Job::BlockCheck::kNever);
    REQUIRE(RunOnce(job_) == JobStatus::kPause);
    REQUIRE(program_.handed_over());
  }
  ~Led() {
    if (job_.paused()) End();
  }

  // Gives the next command; true when its outcome is there, false when the job paused within it.
  bool Give(const Command& command) {
    program_.Continue(command);
    return Resume();
  }
  bool Resume() {
    REQUIRE(RunOnce(job_) == JobStatus::kPause);
    return program_.handed_over();
  }
  bool Give(Kind kind, uintptr_t key = 0, WaitFd fd = 0) {
    Command command;
    command.kind = kind;
    command.key = key;
    command.fd = fd;
    return Give(command);
  }
  void End(int return_value = 0) {
    Command command;
    command.return_value = return_value;
    program_.Continue(command);
    JobStatus status = RunOnce(job_);
    if (program_.handed_over() && status == JobStatus::kPause) {  // it was paused within a command
      program_.Continue(command);
      status = RunOnce(job_);
    }
    REQUIRE(status == JobStatus::kFinish);
  }

  Job& job() { return job_; }
  WaitContext& context() { return *context_; }
  const CommandOutcome& outcome() const { return program_.outcome(); }

 private:
  std::unique_ptr<WaitContext> context_;
  CommandProgram program_;
  Job job_;
};

int LeaveBlocked(void*) {
  ASYNC_block_pause();
  return 1;
}

}  // namespace

TEST_SUITE("command program") {
  TEST_CASE("it returns what it is told to") {
    Led led;
    led.End(-7);
    CHECK(led.job().return_value() == -7);
  }

  TEST_CASE("a pause is seen by the application, and its outcome follows the resume") {
    Led led;
    CHECK_FALSE(led.Give(Kind::kPause));
    CHECK(led.Resume());
    CHECK(led.outcome().ok);
  }

  TEST_CASE("blocked pauses return at once, blocks nest, and one unblock too many has no effect") {
    Led led;
    CHECK(led.Give(Kind::kBlockPause));
    CHECK(led.Give(Kind::kBlockPause));
    CHECK(led.Give(Kind::kPause));
    CHECK(led.outcome().ok);
    CHECK(led.Give(Kind::kUnblockPause));
    CHECK(led.Give(Kind::kPause));
    CHECK(led.Give(Kind::kUnblockPause));
    CHECK_FALSE(led.Give(Kind::kPause));
    CHECK(led.Resume());
    CHECK(led.Give(Kind::kUnblockPause));
    CHECK_FALSE(led.Give(Kind::kPause));
    CHECK(led.Resume());
  }

  TEST_CASE("one program's block is no other's") {
    Led blocked;
    Led other;
    CHECK(blocked.Give(Kind::kBlockPause));
    CHECK_FALSE(other.Give(Kind::kPause));
    CHECK(other.Resume());
    CHECK(blocked.Give(Kind::kPause));
    blocked.End();
    CHECK_FALSE(other.Give(Kind::kPause));
    CHECK(other.Resume());
  }

  TEST_CASE("it hands over in spite of a block that another job left behind") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    Job leaver;
    leaver.Prepare(context.get(), &LeaveBlocked, nullptr, Job::BlockCheck::kNever);
    REQUIRE(RunOnce(leaver) == JobStatus::kFinish);
    Led led;
    CHECK_FALSE(led.Give(Kind::kPause));
    CHECK(led.Resume());
  }

  TEST_CASE("fds are set, found and cleared in the job's own wait context") {
    Led led;
    CHECK(led.Give(Kind::kGetFd, 1));
    CHECK_FALSE(led.outcome().ok);
    CHECK(led.Give(Kind::kSetWaitFd, 1, 10));
    CHECK(led.outcome().ok);
    CHECK(led.Give(Kind::kGetFd, 1));
    CHECK(led.outcome().ok);
    CHECK(led.outcome().fd == 10);
    CHECK(led.context().Fds() == std::vector<WaitFd>{10});
    CHECK(led.Give(Kind::kClearFd, 1));
    CHECK(led.outcome().ok);
    CHECK(led.Give(Kind::kClearFd, 1));
    CHECK_FALSE(led.outcome().ok);
    CHECK(led.context().Fds().empty());
  }

  TEST_CASE("told to return while it is paused within a command, it ends at its next hand-over") {
    Led led;
    CHECK_FALSE(led.Give(Kind::kPause));
    led.End(3);
    CHECK(led.job().return_value() == 3);
  }
}

}  // namespace openssl_async::testing
