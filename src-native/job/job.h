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
  // When to check that the job left no ASYNC_block_pause() behind, which would make every later job of the thread
  // synchronous. The check is a pause of its own and costs as much as an empty job.
  enum class BlockCheck : uint8_t {
    kAtEnd,    // at once
    kBatched,  // after some jobs without a pause, with a batch's last job, or before the next batch:
               // JobThread::EnsureUnblocked()
    kNever,    // the function is ours and balances its blocks
  };

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job();

  // Makes a job that ended, or never began, ready to start. `args` must outlive the job's end. The context must stay
  // alive and belongs to this job alone until the job has ended.
  void Prepare(WaitContext* context, JobFunction function, void* args, BlockCheck check);

  // Call it before Run(): whether no other job of the batch is ready by now. Its check is cheaper than a job for that
  // alone before the next batch.
  void set_last_of_batch(bool is_last) { is_last_of_batch_ = is_last; }

  // Starts or resumes the job on this thread. kNoJobs changes nothing and may be tried again; kError and kFinish end
  // the job. The job must be neither running nor ended, and no other job of this thread may be running: see
  // CheckMayRun(). The thread's error queue counts as the job's: see JobBatch.
  JobStatus Run(JobThread& thread);

  // Refuses another thread's job, an ended job, and a call from within a job.
  Result<void> CheckMayRun() const;

  bool paused() const { return state_ == State::kPaused; }
  bool ended() const { return state_ == State::kEnded; }

  // After kFinish: the function's return value.
  int return_value() const { return return_value_; }
  // After kFinish, the text of a C++ exception that the function let out; null when there was none.
  const std::string* exception() const { return threw_ ? &exception_ : nullptr; }
  // After kFinish or kError: the errors that the job left in its queue.
  const ErrorQueue& errors() const { return errors_; }

  WaitContext* context() const { return context_; }

 private:
  enum class State : uint8_t { kIdle, kRunning, kPaused, kEnded };

  static int Main(void* unused);  // on the job's stack
  int Execute() noexcept;         // on the job's stack
  bool MustCheckBlocks();         // on the job's stack
  void ReleaseBlocks() noexcept;  // on the job's stack
  JobStatus Enter(JobThread& thread);
  void End(JobThread& thread);

  ASYNC_JOB* handle_ = nullptr;
  WaitContext* context_ = nullptr;
  JobFunction function_ = nullptr;
  void* args_ = nullptr;
  JobThread* thread_ = nullptr;  // the job's own, from its start to its end
  int return_value_ = 0;
  int errno_ = 0;
  State state_ = State::kIdle;
  BlockCheck block_check_ = BlockCheck::kAtEnd;
  bool is_last_of_batch_ = false;
  bool probing_ = false;  // the pause in progress is ReleaseBlocks()'s
  bool threw_ = false;
  ErrorQueue errors_;
  std::string exception_;
};

}  // namespace openssl_async
