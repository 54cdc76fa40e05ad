// The jobs that JavaScript submits and the waits that it begins, under ids of its own. Each event reaches JavaScript in
// eight words, and all events of a turn in one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "binding/attachment.h"
#include "binding/contract.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

class Environment;

class JavaScriptJobs final : public Attachment, private JobOwner {
 public:
  explicit JavaScriptJobs(Environment& environment);
  JavaScriptJobs(const JavaScriptJobs&) = delete;
  JavaScriptJobs& operator=(const JavaScriptJobs&) = delete;

  // The arrays in which JavaScript describes a batch of jobs (BatchWord, BatchJobWord), with their arguments.
  struct BatchBuffers {
    int32_t* words = nullptr;
    unsigned char* bytes = nullptr;
  };
  void SetBatchBuffers(const BatchBuffers& buffers) { batch_ = buffers; }
  const BatchBuffers& batch() const { return batch_; }

  // Completes the request with its owner and the id.
  void Submit(JobRequest& request, JobId id);
  // See Scheduler. Nothing happens to a job that has ended; its event may be on the way.
  void Continue(JobId id, const Command& command);
  void Interrupt(JobId id);
  bool Abandon(JobId id);
  // As Scheduler::ReleaseManual(); the job goes on under this id.
  bool Release(ScheduledJob* job, JobId id);
  // The error of an event; once.
  Error TakeFailure(JobId id);
  // An event with this id may come.
  bool Knows(JobId id) const;

  // EventKind::kAwaited follows, unless the wait is cancelled.
  Result<void> Await(WaitPoint& wait_point, JobId id);
  void CancelAwait(JobId id);

  void Drain() override { by_id_.clear(); }
  void Close(std::function<void()> done) override;
  bool IsIdle() const override { return waits_.empty() && events_.empty() && telling_ == 0; }

 private:
  struct Event {
    int32_t words[kWordsPerEvent];  // see EventWord
  };

  void OnEnd(const ScheduledJob& job) override;
  void OnHandOver(ScheduledJob& job) override;
  void OnUnwatchable(ScheduledJob& job) override;
  void OnAwaited(JobId id, WakeKind kind) override;
  void OnStart(ScheduledJob& job) override { Note(job, EventKind::kStarted); }
  void OnPause(ScheduledJob& job) override { Note(job, EventKind::kPaused); }
  void OnResume(ScheduledJob& job, WakeKind kind) override;
  void OnDelivery() override;

  void Note(const ScheduledJob& job, EventKind kind, int32_t value = 0, int32_t detail = 0);
  void Tell();
  void SetJob(JobId id, ScheduledJob* job);
  ScheduledJob* Find(JobId id) const { return id < by_id_.size() ? by_id_[id] : nullptr; }

  Environment& environment_;
  Scheduler& scheduler_;
  BatchBuffers batch_;
  std::vector<ScheduledJob*> by_id_;
  std::unordered_map<JobId, Error> failures_;
  std::unordered_map<JobId, std::unique_ptr<ManualWait>> waits_;
  std::vector<Event> events_;
  std::vector<Event> told_;  // kept for its memory
  size_t telling_ = 0;
};

}  // namespace openssl_async
