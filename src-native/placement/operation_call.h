// One call of an operation, from its submission until its result was told.
#pragma once

#include <cstdint>
#include <memory>

#include "operations/operation.h"
#include "placement/blocking_calls.h"
#include "placement/contract.h"
#include "placement/operation_stats.h"
#include "pool/worker_pool.h"
#include "scheduler/scheduled_job.h"
#include "wakeup/completion_queue.h"

namespace openssl_async {

class OperationRunner;

class OperationCall final : private WorkerPool::Task, private CompletionQueue::Entry {
 public:
  // The call that a thread of a pool carries out; null on other threads.
  static const OperationCall* Running();

  JobId id() const { return id_; }
  Operation& operation() { return operation_; }
  Place place() const { return place_; }
  bool abandoned() const { return abandoned_; }
  uint32_t pauses() const { return pauses_; }
  uint64_t queue_ns() const { return operation_.started_ns() - submitted_ns_; }
  uint64_t run_ns() const { return operation_.ended_ns() - operation_.started_ns(); }

 private:
  friend class OperationRunner;

  void Run() noexcept override;
  void Done() noexcept override;

  Operation operation_;
  JobId id_ = kNoJobId;
  Place place_ = Place::kInline;
  AlgorithmStats* stats_ = nullptr;
  BackendStats* backend_ = nullptr;
  BackendStats* passed_over_ = nullptr;
  WakeupCounts wakeups_;
  ScheduledJob* job_ = nullptr;  // from its submission to its end
  std::shared_ptr<CompletionQueue> completions_;
  std::shared_ptr<BlockingCalls> blocking_;  // not null while the call is a blocking one
  size_t bytes_ = 0;
  uint64_t submitted_ns_ = 0;
  uint32_t pauses_ = 0;
  bool abandoned_ = false;
  uint64_t order_ = 0;  // the submission's number; 0 when other calls were in flight
  uint64_t period_ = 0;
  bool in_job_ = false;
  bool told_ = false;
  bool fell_back_ = false;
  bool is_asymmetric_ = false;
};

}  // namespace openssl_async
