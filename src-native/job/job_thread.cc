#include "job/job_thread.h"

#include <climits>
#include <string>

#include "job/job.h"
#include "job/job_stack.h"
#include "job/stack_overflow.h"
#include "openssl/pointers.h"

namespace openssl_async {

JobThread& JobThread::Current() {
  static thread_local JobThread thread;
  return thread;
}

bool JobThread::InsideJob() const { return running_ != nullptr || ASYNC_get_current_job() != nullptr; }

Result<void> JobThread::Init(size_t max_size, size_t initial_size) {
  if (pool_exists_) {
    return Error{"ERR_ASYNC_THREAD_INITIALIZED",
                 "This thread's job pool exists already: initThread() was called, or a job was started",
                 {}};
  }
  if (InsideJob()) return Error{"ERR_ASYNC_NESTED_START", "initThread() cannot be called from within a job", {}};
  PrepareStacks();
  ErrorQueueScope errors;
  // OpenSSL takes (0, n) for "at most 0, n at once" and refuses it; the man page means no limit.
  const size_t limit = max_size == 0 && initial_size > 0 ? INT_MAX : max_size;
  if (ASYNC_init_thread(limit, initial_size) != 1) {
    return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not create the job pool", ErrorQueue::Take().Lines()};
  }
  pool_exists_ = true;
  max_size_ = max_size;
  return {};
}

Result<void> JobThread::Cleanup() {
  if (InsideJob()) return Error{"ERR_ASYNC_NESTED_START", "cleanupThread() cannot be called from within a job", {}};
  if (live_ != 0) {
    return Error{"ERR_ASYNC_JOBS_OUTSTANDING", std::to_string(live_) + " jobs of this thread have not finished", {}};
  }
  ASYNC_cleanup_thread();
  pool_exists_ = false;
  max_size_ = 0;
  return {};
}

JobBatch::JobBatch(JobThread& thread) : thread_(thread) {
  PrepareStacks();
  PrepareThreadForOverflow();
  thread.pending_errors_ = PendingErrors::OfThisThread();
}

void JobThread::LiftBlocks(WaitContext& context) {
  Job job;
  job.Prepare(
      &context, [](void*) { return 1; }, nullptr, Job::BlockCheck::kAtEnd);
  job.Run(*this);  // its own pause at the end notes the proof
}

}  // namespace openssl_async
