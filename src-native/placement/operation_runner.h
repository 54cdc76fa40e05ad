// Chooses where an operation runs (within the call, on the pool, in an OpenSSL job) and brings its result back to the
// loop. One for each environment, on its thread.
#pragma once

#include <uv.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "placement/blocking_calls.h"
#include "placement/call_periods.h"
#include "placement/contract.h"
#include "placement/device_pollers.h"
#include "placement/operation_call.h"
#include "placement/operation_stats.h"
#include "pool/worker_pool.h"
#include "scheduler/scheduler.h"
#include "wakeup/completion_queue.h"

namespace openssl_async {

// The data that calls of one kind share in one environment.
struct PlacedSpec {
  std::shared_ptr<OperationSpec> spec;
  AlgorithmStats* stats = nullptr;
  BackendStats* backend = nullptr;      // does the work; null for OpenSSL's own choice
  BackendStats* passed_over = nullptr;  // was to do the work, but lacks the algorithm
  // Whether the process was in FIPS mode when the implementations were looked for. Empty for operations with a state,
  // which are used as they are.
  std::optional<bool> in_fips_mode = std::nullopt;
};

class OperationRunner final : private JobOwner, private CompletionQueue::Receiver {
 public:
  class Delegate {
   public:
    // Loop thread. Each call is to be let go with Release(), now or later.
    virtual void OnOperations(OperationCall* const* calls, size_t count) = 0;
    // The calls that AwaitEnds(id) waited for are over, and have been told.
    virtual void OnEnds(JobId id) = 0;

   protected:
    ~Delegate() = default;
  };

  struct Options {
    uint64_t max_inline_ns = 50'000;
    size_t max_in_flight = 65536;
  };

  // kNoThreads: the call may not run on the loop's thread, and the system gives the pool no thread.
  enum class Submission { kInline, kQueued, kFull, kNoMemory, kNoThreads };

  static Result<std::unique_ptr<OperationRunner>> Create(uv_loop_t* loop, Scheduler& scheduler, Delegate& delegate);
  ~OperationRunner();
  OperationRunner(const OperationRunner&) = delete;
  OperationRunner& operator=(const OperationRunner&) = delete;

  void Configure(const Options& options) { options_ = options; }

  // `name` is the algorithm's name in the statistics; `backend` names the backend that is to do the work, if any.
  PlacedSpec Adopt(std::shared_ptr<OperationSpec> spec, const std::string& name, const std::string& backend = "");

  // Sets how operations of `backend` are waited for from now on.
  void SetWaitMode(const std::string& backend, WaitMode mode) { BackendOf(backend).wait_mode = mode; }
  // Has `poll` called while operations of `backend` are in flight, until StopPolling() or another poll.
  Result<void> StartPolling(const std::string& backend, const PollingOptions& options, PollDevice poll) {
    return pollers_.Start(BackendOf(backend), options, std::move(poll));
  }
  // Takes effect as soon as no operation is in flight.
  void StopPolling(const std::string& backend) { pollers_.Stop(BackendOf(backend)); }

  // A job of somebody else works with a backend's key from now on: the backend is polled and counted as for operations.
  BackendStats& BeginOther(const std::string& backend);
  // `job` has ended; null when it never began.
  void EndOther(BackendStats& backend, const ScheduledJob* job);

  // Statistics of Node.js's own operations, by the algorithm's name.
  AlgorithmStats& StatsOf(const std::string& name);

  // Calls `spec`; the inputs are borrowed until this returns. kInline: the call has run; Find(id) has it, to be let go
  // with Release(). kQueued: OnOperations() tells the call's end.
  Submission Submit(JobId id, Mode mode, const PlacedSpec& spec, const ByteView* inputs, size_t input_count,
                    const double* numbers, size_t number_count);
  OperationCall* Find(JobId id) const { return id < by_id_.size() ? by_id_[id] : nullptr; }
  // Nobody wants the result any more. True when the call had not begun: it is forgotten without an event.
  bool Abandon(JobId id);
  void Release(OperationCall& call);

  // Calls OnEnds(id) when the calls that are in flight now are over; until then the loop is kept alive. False, and
  // nothing is told, when no call is in flight.
  bool AwaitEnds(JobId id);

  // No call is in flight, and nobody awaits ends.
  bool idle() const { return in_flight_ == 0 && !periods_.any_awaited(); }
  size_t in_flight() const { return in_flight_; }
  const std::deque<AlgorithmStats>& stats() const { return stats_; }
  const std::deque<BackendStats>& backends() const { return backends_; }
  uint64_t hop_ns() const { return hop_alone_.value(); }

  // Waits for the calls that hold a thread of the pool while somebody else does the work; no more begin.
  void EndBlockingCalls() { blocking_->Close(); }
  // No result is told any more. Call it after the scheduler was drained.
  void Close(std::function<void()> done);

 private:
  OperationRunner(uv_loop_t* loop, Scheduler& scheduler, Delegate& delegate);
  Result<void> Open();

  Place Decide(const OperationCall& call, Mode mode) const;
  // Whether the next call has no others beside it. JavaScript that is told of several ends goes on with several calls:
  // the first of them is not alone, either.
  bool IsAlone() const { return in_flight_ == 0 && telling_ <= 1; }
  bool HasTimeFor(const OperationCall& call) const;
  static WorkerPool& PoolOf(const OperationCall& call);
  Submission SubmitToPool(OperationCall& call, Mode mode);
  Submission SubmitJob(OperationCall& call);
  Submission SubmitToNextTurn(OperationCall& call);
  void AddToNextTurn(OperationCall& call);
  void RunTurn();
  static void Learn(const OperationCall& call);
  void ObserveTurn();
  void RunInline(OperationCall& call, uint64_t started_ns);
  struct JobArgs {
    OperationCall* call;
  };
  static int RunInJob(void* args);

  void OnCompletions() override;
  void OnEnd(const ScheduledJob& job) override;
  void OnDelivery() override { TellEnded(); }
  BackendStats& BackendOf(const std::string& name);
  void CountInFlight(BackendStats& backend, bool is_asymmetric, int change);
  void Begun(OperationCall& call);
  void Over(OperationCall& call);
  static void AccountToHolder(const OperationCall& call);
  // False when the call runs again.
  bool Account(OperationCall& call);
  void TellEnded();
  void Want() {
    if (wanted_++ == 0) completions_->Ref();
  }
  void Unwant() {
    if (--wanted_ == 0) completions_->Unref();
  }
  OperationCall& Acquire(JobId id);

  uv_loop_t* loop_;
  Scheduler& scheduler_;
  Delegate& delegate_;
  Options options_;
  std::deque<AlgorithmStats> stats_;  // never moved: calls point into it
  std::unordered_map<std::string, AlgorithmStats*> stats_by_name_;
  std::deque<BackendStats> backends_;  // never moved either
  CostEstimate hop_alone_;

  std::unique_ptr<OpenHandles> open_ = std::make_unique<OpenHandles>();
  DevicePollers pollers_{loop_, *open_, scheduler_};
  std::shared_ptr<CompletionQueue> completions_;
  const std::shared_ptr<BlockingCalls> blocking_ = std::make_shared<BlockingCalls>();
  UvHandlePointer<uv_prepare_t> new_turn_;
  UvHandlePointer<uv_idle_t> idle_;    // active while calls wait for their turn: the loop must not block
  UvHandlePointer<uv_check_t> check_;  // after polling: runs them
  std::deque<OperationCall*> next_turn_;
  std::vector<OperationCall*> by_id_;
  std::vector<std::unique_ptr<OperationCall>> free_;
  std::vector<OperationCall*> ended_;
  std::vector<OperationCall*> told_;  // kept for its memory
  CallPeriods periods_;
  size_t in_flight_ = 0;
  size_t telling_ = 0;  // ends that are being told together
  uint64_t submissions_ = 0;
  size_t wanted_ = 0;           // in flight and not abandoned, or awaiting ends: these keep the loop alive
  uint64_t inline_ns_ = 0;      // spent on the loop's thread in this turn
  bool turn_observed_ = false;  // new_turn_ is active
};

}  // namespace openssl_async
