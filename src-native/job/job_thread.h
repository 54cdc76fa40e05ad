// This thread's pool of OpenSSL jobs: ASYNC_init_thread(), ASYNC_cleanup_thread(), and the running job. All
// environments and all copies of the addon's JavaScript on a thread share it, as they share OpenSSL's pool. Each copy
// of the addon has a JobThread of its own; SharedThread holds the state that all of them must know.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "job/copies.h"
#include "openssl/error_queue.h"

namespace openssl_async {

class Job;
class WaitContext;

class JobThread {
 public:
  static JobThread& Current();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // 0 for `max_size` means no limit. Refused when the pool exists: it was initialised, or a job was started.
  Result<void> Init(size_t max_size, size_t initial_size);
  // Refused while jobs of this thread live, whichever copy started them. Afterwards Init() may be called again.
  Result<void> Cleanup();

  // Live jobs: started, not ended.
  size_t live() const { return part_.live; }
  // Other copies' live jobs included.
  size_t live_of_all() const;
  // The pool's limit; 0 for none.
  size_t max_size() const { return shared_.max_size; }
  bool pool_exists() const { return shared_.pool_exists != 0; }

  // True on a job's stack, whoever started that job.
  bool InsideJob() const;
  Job* running() const { return running_; }

  // Lifts blocks that earlier jobs may have left, unless one of this thread's jobs has paused since the last one ended.
  // Call it before a batch of jobs; `context` must be free.
  void EnsureUnblocked(WaitContext& context) {
    if (shared_.unproven_ends > 0) LiftBlocks(context);
  }

  // True when this thread's error queue holds something.
  bool has_errors() const { return pending_errors_.any(); }

  // Changes whenever a job is entered or left. A caller that finds the same number after a pause was not paused.
  uint64_t switches() const { return switches_; }

  // For Job alone.
  void set_running(Job* job) {
    running_ = job;
    ++switches_;
  }
  void NoteStart() {
    shared_.pool_exists = 1;
    ++part_.live;
  }
  void NoteEnd() { --part_.live; }
  void NotePause() { shared_.unproven_ends = 0; }
  // True when a check is due.
  bool NoteUnproven() { return ++shared_.unproven_ends > kMostUnprovenEnds; }

 private:
  static constexpr uint32_t kMostUnprovenEnds = 32;

  friend class JobBatch;
  JobThread();
  void LiftBlocks(WaitContext& context);

  PendingErrors pending_errors_;
  Job* running_ = nullptr;
  uint64_t switches_ = 0;
  SharedThread& shared_;
  SharedThreadPart part_;
};

// A time in which a thread runs jobs one after the other. The thread's earlier errors are put aside meanwhile, so that
// jobs and Node's own crypto never see each other's errors.
class JobBatch {
 public:
  explicit JobBatch(JobThread& thread);
  ~JobBatch() { thread_.pending_errors_ = PendingErrors(); }
  JobBatch(const JobBatch&) = delete;
  JobBatch& operator=(const JobBatch&) = delete;

 private:
  ErrorQueueScope errors_;
  JobThread& thread_;
};

}  // namespace openssl_async
