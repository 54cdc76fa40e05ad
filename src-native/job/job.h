// One OpenSSL job: the state machine of ASYNC_start_job(3) with the guards that OpenSSL leaves to its callers.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "job/wait_context.h"
#include "openssl/error_queue.h"
#include "openssl/pointers.h"

namespace openssl_async {

class JobThread;

// ASYNC_start_job()'s `func`. Runs on the job's own small stack.
using JobFunction = int (*)(void* args);

enum class JobStatus {
  kError = ASYNC_ERR,
  kNoJobs = ASYNC_NO_JOBS,
  kPause = ASYNC_PAUSE,
  kFinish = ASYNC_FINISH,
};

class Job {
 public:
  // When to make sure that the job left no ASYNC_block_pause() behind, which would make every later job of the thread
  // synchronous. The proof is a pause of its own, and costs as much as an empty job does.
  enum class BlockCheck : uint8_t {
    kAtEnd,    // at once
    kBatched,  // after a number of jobs none of which paused, and before the next batch: JobThread::EnsureUnblocked()
    kNever,    // the function is ours and balances its blocks
  };

  // `args` must outlive the job's end. Not started yet.
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  // Makes a job that ended, or never began, ready to start. The context must stay alive, and belongs to this job alone
  // until it has ended.
  void Prepare(WaitContext* context, JobFunction function, void* args, BlockCheck check);

  // Starts or resumes the job on this thread. kNoJobs changes nothing and may be tried again; kError and kFinish end
  // the job. Must be neither running nor ended, and no other job of this thread may be running: see CheckMayRun(). The
  // thread's error queue is taken for the job's: see JobBatch.
  JobStatus Run(JobThread& thread);

  // Why Run() must not be called now, if so: another thread's job, an ended one, or from within a job.
  Result<void> CheckMayRun() const;

  bool paused() const { return state_ == State::kPaused; }
  bool ended() const { return state_ == State::kEnded; }

  // After kFinish: what the function returned.
  int return_value() const { return return_value_; }
  // After kFinish, the text of a C++ exception that the function let out; null when there was none.
  const std::string* exception() const { return threw_ ? &exception_ : nullptr; }
  // After kFinish or kError: what the job left in its error queue.
  const ErrorQueue& errors() const { return errors_; }

  WaitContext* context() const { return context_; }

 private:
  enum class State : uint8_t { kIdle, kRunning, kPaused, kEnded };

  static int Main(void* unused);  // on the job's stack
  int Execute() noexcept;         // on the job's stack
  void ReleaseBlocks() noexcept;  // on the job's stack
  JobStatus Enter(JobThread& thread);
  void End(JobThread& thread);

  ASYNC_JOB* handle_ = nullptr;
  WaitContext* context_ = nullptr;
  JobFunction function_ = nullptr;
  void* args_ = nullptr;
  JobThread* thread_ = nullptr;  // where the job lives, from its start to its end
  int return_value_ = 0;
  int errno_ = 0;
  State state_ = State::kIdle;
  BlockCheck block_check_ = BlockCheck::kAtEnd;
  bool probing_ = false;  // the pause in progress is ReleaseBlocks()'s
  bool threw_ = false;
  ErrorQueue errors_;
  std::string exception_;
};

}  // namespace openssl_async
