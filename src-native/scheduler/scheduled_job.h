// A job on its way through the scheduler, which owns the memory and uses it again for later jobs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "job/command_program.h"
#include "job/job.h"
#include "scheduler/job_owner.h"
#include "scheduler/metrics.h"
#include "wakeup/backoff_timer.h"
#include "wakeup/wait_point.h"

namespace openssl_async {

class Scheduler;

class ScheduledJob final : public ListNode<ScheduledJob>, private WakeTarget {
 public:
  explicit ScheduledJob(Scheduler& scheduler) : scheduler_(scheduler) { backoff_.target = this; }

  JobId id() const { return id_; }
  uint32_t pauses() const { return pauses_; }
  const WakeupCounts& wakeups() const { return wakeups_; }

  // --- Once it has ended
  bool failed() const { return status_ == JobStatus::kError || job_.exception() != nullptr; }
  bool left_errors() const { return !job_.errors().empty(); }
  // The reason of the failure; for a job that did not fail, only the errors that it left in its queue.
  Error failure() const;

  // For jobs that the scheduler does not run by itself (startJob()).
  Job& job() { return job_; }
  const Job& job() const { return job_; }
  CommandProgram& program() { return program_; }
  const CommandProgram& program() const { return program_; }
  bool is_program() const { return function_ == &CommandProgram::Main; }
  WaitPoint* wait_point() const { return wait_point_; }
  bool manual() const { return state_ == State::kManual; }

 private:
  friend class Scheduler;

  // queued → ready → (running → waiting → ready)* → free; a program's job also passes through handed-over.
  enum class State : uint8_t { kFree, kQueued, kReady, kRunning, kWaiting, kHandedOver, kManual };

  bool OnWake(WakeKind kind) override;
  void CountWakeup(WakeKind kind);
  // Makes job_ ready for its start; the wait point is set.
  void Prepare(Job::BlockCheck check);
  // The caller saw the job's last pause and resumes the job, so the pause's changes of fds are no news any more.
  void ForgetPause();
  void SetArgs(const void* bytes, size_t size);
  void ClearArgs();

  Scheduler& scheduler_;
  Job job_;
  CommandProgram program_;
  JobFunction function_ = nullptr;
  std::vector<unsigned char> args_;
  bool has_args_ = false;
  WaitPoint* wait_point_ = nullptr;
  bool owns_wait_point_ = false;               // it comes from the scheduler's pool
  std::unique_ptr<WaitPoint> own_wait_point_;  // then, from the job's start to its end
  const void* wait_group_ = nullptr;           // see JobRequest
  uint32_t wait_generation_ = 0;
  WaitMode wait_mode_ = WaitMode::kAuto;
  BackoffEntry backoff_;
  JobOwner* owner_ = nullptr;
  JobId id_ = kNoJobId;
  JobStatus status_ = JobStatus::kFinish;
  State state_ = State::kFree;
  bool abandoned_ = false;
  bool orphaned_ = false;    // an abandoned program whose author is gone too: it ends at its next hand-over
  bool seen_pause_ = false;  // the last pause was not a hand-over
  bool watch_failed_ = false;
  unsigned attempts_ = 0;  // polls in a row
  uint32_t pauses_ = 0;
  WakeupCounts wakeups_;
  uint64_t submitted_ns_ = 0;
  uint64_t started_ns_ = 0;
};

}  // namespace openssl_async
