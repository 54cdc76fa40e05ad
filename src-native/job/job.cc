#include "job/job.h"

#include <cassert>
#include <cerrno>
#include <exception>

#include "job/job_thread.h"

namespace openssl_async {

Job::~Job() { assert(state_ != State::kRunning && state_ != State::kPaused); }

void Job::Prepare(WaitContext* context, JobFunction function, void* args, BlockCheck check) {
  assert(state_ == State::kIdle || state_ == State::kEnded);
  context_ = context;
  function_ = function;
  args_ = args;
  block_check_ = check;
  is_last_of_batch_ = false;
  state_ = State::kIdle;
  return_value_ = 0;
  errno_ = 0;
  if (!errors_.empty()) errors_ = ErrorQueue();
  if (threw_) {
    threw_ = false;
    exception_.clear();
  }
}

Result<void> Job::CheckMayRun() const {
  JobThread& current = JobThread::Current();
  if (state_ == State::kEnded) return Error{"ERR_ASYNC_JOB_FINISHED", "The job has finished", {}};
  if (state_ == State::kPaused && thread_ != &current) {
    return Error{"ERR_ASYNC_WRONG_THREAD", "A job must be resumed on the thread that started it", {}};
  }
  if (current.InsideJob()) {
    return Error{"ERR_ASYNC_NESTED_START", "A job cannot be started or resumed from within a job", {}};
  }
  return {};
}

JobStatus Job::Run(JobThread& thread) {
  assert(state_ == State::kIdle || state_ == State::kPaused);
  const bool starting = state_ == State::kIdle;
  if (starting) {
    thread.NoteStart();
    thread_ = &thread;
    context_->set_job(this);
  }
  errors_.Restore();
  state_ = State::kRunning;
  JobStatus status = Enter(thread);
  while (probing_ && status == JobStatus::kPause) {
    probing_ = false;               // tells ReleaseBlocks() that its pause happened
    context_->NoteInternalPause();  // OpenSSL reports the job's fd changes once: now
    thread.NotePause();
    status = Enter(thread);
  }
  if (thread.has_errors()) errors_ = ErrorQueue::Take();
  if (status == JobStatus::kPause) {
    state_ = State::kPaused;
    thread.NotePause();
  } else {
    state_ = status == JobStatus::kNoJobs ? State::kIdle : State::kEnded;
    End(thread);
  }
  return status;
}

JobStatus Job::Enter(JobThread& thread) {
  thread.set_running(this);
  const int outer_errno = errno;
  errno = errno_;
  const int status = ASYNC_start_job(&handle_, context_->get(), &return_value_, &Main, nullptr, 0);
  errno_ = errno;
  errno = outer_errno;
  thread.set_running(nullptr);
  return static_cast<JobStatus>(status);
}

void Job::End(JobThread& thread) {
  handle_ = nullptr;
  context_->set_job(nullptr);
  thread_ = nullptr;
  thread.NoteEnd();
}

int Job::Main(void*) { return JobThread::Current().running()->Execute(); }

int Job::Execute() noexcept {
  int result = 0;
  try {
    result = function_(args_);
  } catch (const std::exception& error) {
    threw_ = true;
    exception_ = error.what();
  } catch (...) {
    threw_ = true;
    exception_ = "an exception that is not a std::exception";
  }
  if (MustCheckBlocks()) ReleaseBlocks();
  return result;
}

bool Job::MustCheckBlocks() {
  switch (block_check_) {
    case BlockCheck::kAtEnd:
      return true;
    case BlockCheck::kBatched:
      return thread_->NoteUnproven() || is_last_of_batch_;
    case BlockCheck::kNever:
      break;
  }
  return false;
}

void Job::ReleaseBlocks() noexcept {
  for (;;) {
    probing_ = true;
    if (ASYNC_pause_job() != 1) return;
    if (!probing_) return;  // Run() resumed us: the pause happened, so nothing is blocked
    ASYNC_unblock_pause();
  }
}

}  // namespace openssl_async
