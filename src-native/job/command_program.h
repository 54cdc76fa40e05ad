// A job function that carries out one command at a time.
//
// JavaScript may not run on a job's stack, so a generator's job runs this program. The program pauses in a way that
// only we see (a hand-over), gets the next command, carries it out inside the job, and hands over the outcome.
#pragma once

#include <cstdint>

#include "job/contract.h"
#include "job/wait_context.h"

namespace openssl_async {

struct Command {
  using Kind = CommandKind;
  Kind kind = Kind::kReturn;
  uintptr_t key = 0;
  WaitFd fd = OSSL_BAD_ASYNC_FD;
  bool wants_cleanup = false;
  int return_value = 0;
};

struct CommandOutcome {
  bool ok = true;  // OpenSSL's own 1 or 0
  WaitFd fd = OSSL_BAD_ASYNC_FD;
};

class CommandProgram {
 public:
  // A JobFunction; `args` is the program.
  static int Main(void* program);

  // True when the job's last pause was a hand-over: `outcome()` holds, and Continue() is due before the next resume.
  bool handed_over() const { return handed_over_; }
  const CommandOutcome& outcome() const { return outcome_; }
  void Continue(const Command& command) {
    command_ = command;
    handed_over_ = false;
  }

  void Reset() { *this = CommandProgram(); }

 private:
  int Run();
  void HandOver();
  void Carry(WaitContext& context);

  Command command_;
  CommandOutcome outcome_;
  bool handed_over_ = false;
  // How often the function has blocked pausing. The block holds during each command and is lifted between commands, so
  // that the hand-over can pause.
  uint32_t block_depth_ = 0;
};

}  // namespace openssl_async
