#include "job/command_program.h"

#include "job/job.h"
#include "job/job_thread.h"

namespace openssl_async {

int CommandProgram::Main(void* program) { return static_cast<CommandProgram*>(program)->Run(); }

int CommandProgram::Run() {
  WaitContext& context = *JobThread::Current().running()->context();
  for (;;) {
    HandOver();
    if (command_.kind == Command::Kind::kReturn) return command_.return_value;
    outcome_ = CommandOutcome();
    const bool blocked = block_depth_ > 0;
    if (blocked) ASYNC_block_pause();
    Carry(context);
    if (blocked) ASYNC_unblock_pause();
  }
}

void CommandProgram::HandOver() {
  handed_over_ = true;
  for (;;) {
    ASYNC_pause_job();
    if (!handed_over_) return;
    ASYNC_unblock_pause();  // the pause did not happen: another job left a block behind
  }
}

void CommandProgram::Carry(WaitContext& context) {
  switch (command_.kind) {
    case Command::Kind::kPause:
      outcome_.ok = ASYNC_pause_job() == 1;
      break;
    case Command::Kind::kBlockPause:
      ++block_depth_;
      break;
    case Command::Kind::kUnblockPause:
      if (block_depth_ > 0) --block_depth_;  // as OpenSSL: one too many has no effect
      break;
    case Command::Kind::kSetWaitFd:
      outcome_.ok = context.SetFd(command_.key, command_.fd, command_.wants_cleanup);
      break;
    case Command::Kind::kGetFd:
      outcome_.ok = context.GetFd(command_.key, &outcome_.fd);
      break;
    case Command::Kind::kClearFd:
      outcome_.ok = context.ClearFd(command_.key);
      break;
    case Command::Kind::kReturn:
      break;
  }
}

}  // namespace openssl_async
