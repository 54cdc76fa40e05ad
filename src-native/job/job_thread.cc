#include "job/job_thread.h"

#include <climits>
#include <string>
#include <vector>

#include "job/job.h"
#include "job/job_stack.h"
#include "job/stack_overflow.h"
#include "openssl/pointers.h"

namespace openssl_async {

namespace {

// Why other copies' use of this thread's pool is unknown; empty when it is known.
std::string Uncertainty() {
  if (Copies::unknown()) return "a newer copy of openssl-async, unknown to this one, shares the job pool";
  const std::vector<std::string> strangers = Copies::Strangers();
  if (strangers.empty()) return "";
  return "another version of openssl-async (" + strangers[0] + "), which cannot be asked, shares the job pool";
}

std::string PathsOf(const SharedThread& thread, const SharedThreadPart& own) {
  std::string paths;
  for (const SharedThreadPart* part = thread.parts; part != nullptr; part = part->next) {
    if (part != &own && part->live > 0) paths += (paths.empty() ? "" : ", ") + std::string(part->copy->path);
  }
  return paths;
}

}  // namespace

// All parts of a thread end with it: none is taken out.
JobThread::JobThread() : shared_(*Copies::Registry().thread()), part_{sizeof(part_), shared_.parts, &Copies::Own(), 0} {
  shared_.parts = &part_;
}

JobThread& JobThread::Current() {
  static thread_local JobThread thread;
  return thread;
}

bool JobThread::InsideJob() const { return running_ != nullptr || ASYNC_get_current_job() != nullptr; }

Result<void> JobThread::Init(size_t max_size, size_t initial_size) {
  if (shared_.pool_exists != 0) {
    return Error{"ERR_ASYNC_THREAD_INITIALIZED",
                 "This thread's job pool exists already: initThread() was called, or a job was started, perhaps by "
                 "another copy of openssl-async",
                 {}};
  }
  if (const std::string why = Uncertainty(); !why.empty()) {
    return Error{"ERR_ASYNC_THREAD_INITIALIZED", "This thread's job pool may exist already: " + why, {}};
  }
  if (InsideJob()) return Error{"ERR_ASYNC_NESTED_START", "initThread() cannot be called from within a job", {}};
  PrepareStacks();
  ErrorQueueScope errors;
  // OpenSSL reads (0, n) as "at most 0, n at once" and refuses; in the man page 0 means no limit.
  const size_t limit = max_size == 0 && initial_size > 0 ? INT_MAX : max_size;
  if (ASYNC_init_thread(limit, initial_size) != 1) {
    return Error{"ERR_ASYNC_INIT_FAILED", "OpenSSL could not create the job pool", ErrorQueue::Take().Lines()};
  }
  shared_.pool_exists = 1;
  shared_.max_size = max_size;
  return {};
}

Result<void> JobThread::Cleanup() {
  if (InsideJob()) return Error{"ERR_ASYNC_NESTED_START", "cleanupThread() cannot be called from within a job", {}};
  if (const size_t live = live_of_all(); live != 0) {
    std::string message = std::to_string(live) + " jobs of this thread have not finished";
    if (const size_t others = live - part_.live; others > 0) {
      message += "; " + std::to_string(others) + " of them were started by another copy of openssl-async (" +
                 PathsOf(shared_, part_) + ")";
    }
    return Error{"ERR_ASYNC_JOBS_OUTSTANDING", message, {}};
  }
  if (const std::string why = Uncertainty(); !why.empty()) {
    return Error{"ERR_ASYNC_JOBS_OUTSTANDING", "Jobs of this thread may not have finished: " + why, {}};
  }
  ASYNC_cleanup_thread();
  shared_.pool_exists = 0;
  shared_.max_size = 0;
  return {};
}

size_t JobThread::live_of_all() const {
  size_t live = 0;
  for (const SharedThreadPart* part = shared_.parts; part != nullptr; part = part->next) live += part->live;
  return live;
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
  job.Run(*this);  // its pause at the end proves that nothing is blocked
}

}  // namespace openssl_async
