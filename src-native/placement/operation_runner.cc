#include "placement/operation_runner.h"

#include <algorithm>
#include <utility>

#include "base/memory.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

// The time of the loop's thread for a call that another thread runs, while other calls keep both busy.
constexpr uint64_t kBusyHopNs = 3'000;
// The assumed cost of a hop before one was measured.
constexpr uint64_t kFirstHopNs = 20'000;
// A hop looks dear when the loop was busy with something else.
constexpr uint64_t kMostHopNs = 200'000;

// Memory that is wiped on a thread of the pool, since wiping it here would hold the loop.
class LargeMemory final : public WorkerPool::Task {
 public:
  static void WipeElsewhere(Operation& operation) {
    constexpr size_t kMostWipedHere = 256 * 1024;
    if (operation.OwnBytes() <= kMostWipedHere) return;
    std::unique_ptr<LargeMemory> memory(new (std::nothrow) LargeMemory());
    if (memory == nullptr) return;
    operation.MoveMemories(memory->memory_);
    if (WorkerPool::Get().Submit(memory.get()) == WorkerPool::Refusal::kNone) static_cast<void>(memory.release());
  }

  void Run() noexcept override {
    for (SecretBytes& bytes : memory_) bytes.Clear();
  }
  void Done() noexcept override { delete this; }

 private:
  SecretBytes memory_[Operation::kMemories];
};

}  // namespace

// --- OperationRunner: set-up

Result<std::unique_ptr<OperationRunner>> OperationRunner::Create(uv_loop_t* loop, Scheduler& scheduler,
                                                                 Delegate& delegate) {
  std::unique_ptr<OperationRunner> runner(new OperationRunner(loop, scheduler, delegate));
  if (Result<void> opened = runner->Open(); !opened.ok()) {
    OperationRunner* closing = runner.release();
    closing->Close([closing] { delete closing; });
    return opened.error();
  }
  scheduler.AddTarget(*runner);
  return runner;
}

OperationRunner::OperationRunner(uv_loop_t* loop, Scheduler& scheduler, Delegate& delegate)
    : loop_(loop), scheduler_(scheduler), delegate_(delegate) {
  hop_alone_.Add(kFirstHopNs);
}

OperationRunner::~OperationRunner() = default;

Result<void> OperationRunner::Open() {
  int error = 0;
  const auto failed = [&error] { return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}}; };
  completions_ = CompletionQueue::Create(loop_, *open_, *this, &error);
  if (!completions_) return failed();
  new_turn_ = OpenHandle<uv_prepare_t>(*open_, this, &error,
                                       [this](uv_prepare_t* prepare) { return uv_prepare_init(loop_, prepare); });
  if (!new_turn_) return failed();
  idle_ = OpenHandle<uv_idle_t>(*open_, this, &error, [this](uv_idle_t* idle) { return uv_idle_init(loop_, idle); });
  if (!idle_) return failed();
  check_ =
      OpenHandle<uv_check_t>(*open_, this, &error, [this](uv_check_t* check) { return uv_check_init(loop_, check); });
  if (!check_) return failed();
  return {};
}

AlgorithmStats& OperationRunner::StatsOf(const std::string& name) {
  AlgorithmStats*& stats = stats_by_name_[name];
  if (stats == nullptr) stats = &stats_.emplace_back(name);
  return *stats;
}

PlacedSpec OperationRunner::Adopt(std::shared_ptr<OperationSpec> spec, const std::string& name,
                                  const std::string& backend) {
  PlacedSpec placed = {std::move(spec), &StatsOf(name), nullptr};
  if (!backend.empty()) placed.backend = &BackendOf(backend);
  return placed;
}

BackendStats& OperationRunner::BackendOf(const std::string& name) {
  for (BackendStats& backend : backends_) {
    if (backend.name == name) return backend;
  }
  return backends_.emplace_back(name);
}

// --- OperationRunner: for submitters

OperationRunner::Submission OperationRunner::Submit(JobId id, Mode mode, const PlacedSpec& spec, const ByteView* inputs,
                                                    size_t input_count, const double* numbers, size_t number_count) {
  if (in_flight_ >= options_.max_in_flight) {
    ++spec.stats->counts.refused;
    return Submission::kFull;
  }
  OperationCall& call = Acquire(id);
  call.stats_ = spec.stats;
  call.backend_ = spec.backend;
  call.passed_over_ = spec.passed_over;
  call.operation_.Prepare(spec.spec, inputs, input_count, numbers, number_count);
  call.bytes_ = call.operation_.work_bytes();
  const bool is_hopeless = spec.spec->IsHopeless(call.operation_);
  call.place_ = is_hopeless ? Place::kInline : Decide(call, mode);
  call.submitted_ns_ = NowNs();
  switch (call.place_) {
    case Place::kInline:
      if (mode != Mode::kInline && !is_hopeless && !HasTimeFor(call)) return SubmitToNextTurn(call);
      RunInline(call, call.submitted_ns_);
      return Submission::kInline;
    case Place::kPool:
      return SubmitToPool(call, mode);
    case Place::kJob:
      return SubmitJob(call);
  }
  return Submission::kNoMemory;
}

bool OperationRunner::Abandon(JobId id) {
  OperationCall* call = Find(id);
  if (call == nullptr || call->abandoned_) return false;
  ++call->stats_->counts.abandoned;
  if (call->told_) {  // the call is over and counted; only the result is not wanted any more
    call->abandoned_ = true;
    return false;
  }
  bool forgotten = false;
  if (call->place_ == Place::kPool) forgotten = PoolOf(*call).Cancel(call);
  if (call->job_ != nullptr) forgotten = scheduler_.Abandon(*call->job_);
  if (!forgotten) {
    call->abandoned_ = true;
    Unwant();
    return false;
  }
  Over(*call);
  Release(*call);
  return true;
}

void OperationRunner::Release(OperationCall& call) {
  by_id_[call.id_] = nullptr;
  LargeMemory::WipeElsewhere(call.operation_);
  call.operation_.Clear();
  free_.emplace_back(&call);
}

// --- OperationRunner: where

Place OperationRunner::Decide(const OperationCall& call, Mode mode) const {
  if (mode == Mode::kInline) return Place::kInline;
  if (call.operation_.spec().may_pause()) return HasJobs() ? Place::kJob : Place::kPool;
  if (mode == Mode::kOffload || call.operation_.spec().blocks()) return Place::kPool;
  const uint64_t cost = call.stats_->cost.Expect(call.bytes_);
  const uint64_t hop = IsAlone() ? hop_alone_.value() : kBusyHopNs;
  return cost <= hop && cost <= options_.max_inline_ns ? Place::kInline : Place::kPool;
}

// Each turn has a budget: code that awaits one call after the other never lets the loop turn while calls are answered
// at once.
bool OperationRunner::HasTimeFor(const OperationCall& call) const {
  return next_turn_.empty() && inline_ns_ + call.stats_->cost.Expect(call.bytes_) <= options_.max_inline_ns;
}

void OperationRunner::RunInline(OperationCall& call, uint64_t started_ns) {
  call.operation_.Run(started_ns);
  AlgorithmStats& stats = *call.stats_;
  ++stats.counts.inlined;
  if (!call.operation_.ok()) ++stats.counts.failed;
  stats.queue_time.Record(call.queue_ns());
  stats.run_time.Record(call.run_ns());
  stats.total_time.Record(call.operation_.ended_ns() - call.submitted_ns_);
  Learn(call);
  AccountToHolder(call);
  inline_ns_ += call.run_ns();
  ObserveTurn();
}

// A failed call's duration says little about successful calls, unless it is longer than theirs.
void OperationRunner::Learn(const OperationCall& call) {
  CostBySize& cost = call.stats_->cost;
  if (call.operation_.spec().blocks()) return;
  if (call.operation_.ok() || call.run_ns() > cost.Expect(call.bytes_)) cost.Record(call.bytes_, call.run_ns());
}

void OperationRunner::ObserveTurn() {
  if (turn_observed_) return;
  turn_observed_ = true;
  uv_prepare_start(new_turn_.get(), [](uv_prepare_t* prepare) {
    auto* self = static_cast<OperationRunner*>(prepare->data);
    self->inline_ns_ = 0;
    self->turn_observed_ = false;
    uv_prepare_stop(prepare);
  });
}

OperationRunner::Submission OperationRunner::SubmitToNextTurn(OperationCall& call) {
  if (!call.operation_.CopyInputs()) {
    Release(call);
    return Submission::kNoMemory;
  }
  AddToNextTurn(call);
  return Submission::kQueued;
}

void OperationRunner::AddToNextTurn(OperationCall& call) {
  if (next_turn_.empty()) {
    uv_idle_start(idle_.get(), [](uv_idle_t*) {});
    uv_check_start(check_.get(), [](uv_check_t* check) {
      OrDieOfMemory([check] { static_cast<OperationRunner*>(check->data)->RunTurn(); });
    });
  }
  next_turn_.push_back(&call);
  Begun(call);
}

void OperationRunner::CountInFlight(BackendStats& backend, bool is_asymmetric, int change) {
  backend.in_flight += static_cast<uint64_t>(change);
  if (is_asymmetric) backend.asym_in_flight += static_cast<uint64_t>(change);
  pollers_.OnInFlightChanged(backend);
}

BackendStats& OperationRunner::BeginOther(const std::string& backend) {
  BackendStats& found = BackendOf(backend);
  CountInFlight(found, true, 1);
  return found;
}

// A job without a pause may have had nothing to do for the backend.
void OperationRunner::EndOther(BackendStats& backend, const ScheduledJob* job) {
  CountInFlight(backend, true, -1);
  if (job == nullptr || job->pauses() == 0) return;
  ++backend.operations;
  ++backend.paused;
  backend.pauses += job->pauses();
  backend.wakeups.Add(job->wakeups());
}

void OperationRunner::Begun(OperationCall& call) {
  Want();
  ++in_flight_;
  call.period_ = periods_.Begin();
  if (call.backend_ == nullptr) return;
  call.is_asymmetric_ = call.operation_.spec().is_asymmetric();
  CountInFlight(*call.backend_, call.is_asymmetric_, 1);
}

void OperationRunner::Over(OperationCall& call) {
  --in_flight_;
  periods_.End(call.period_);
  if (periods_.any_ended()) scheduler_.RequestDelivery(*this);
  if (!call.abandoned_) Unwant();
  if (call.backend_ == nullptr) return;
  CountInFlight(*call.backend_, call.is_asymmetric_, -1);
}

bool OperationRunner::AwaitEnds(JobId id) {
  if (in_flight_ == 0) return false;
  Want();
  periods_.Await(id);
  return true;
}

void OperationRunner::RunTurn() {
  uint64_t now_ns = NowNs();
  do {
    OperationCall* call = next_turn_.front();
    next_turn_.pop_front();
    if (!call->abandoned_) {
      RunInline(*call, now_ns);
      now_ns = call->operation_.ended_ns();
    }
    ended_.push_back(call);
  } while (!next_turn_.empty() && inline_ns_ < options_.max_inline_ns);
  if (next_turn_.empty()) {
    uv_idle_stop(idle_.get());
    uv_check_stop(check_.get());
  }
  TellEnded();
}

WorkerPool& OperationRunner::PoolOf(const OperationCall& call) {
  const bool waits = call.operation_.spec().asks_javascript() && !call.fell_back_;
  return waits ? WorkerPool::ForWaiting() : WorkerPool::Get();
}

OperationRunner::Submission OperationRunner::SubmitToPool(OperationCall& call, Mode mode) {
  if (!call.operation_.CopyInputs()) {
    Release(call);
    return Submission::kNoMemory;
  }
  ++submissions_;
  call.order_ = in_flight_ == 0 ? submissions_ : 0;
  call.completions_ = completions_;
  call.waker = completions_.get();
  // A call that waits for JavaScript ends with its environment, and need not be waited for.
  if (call.operation_.spec().blocks() && !call.operation_.spec().asks_javascript()) call.blocking_ = blocking_;
  const uint64_t expected_ns =
      call.operation_.spec().blocks() ? CostBySize::kUnknown : call.stats_->cost.Expect(call.bytes_);
  call.expected_ns = static_cast<uint32_t>(std::min<uint64_t>(expected_ns, UINT32_MAX));
  if (const WorkerPool::Refusal refusal = PoolOf(call).Submit(&call); refusal != WorkerPool::Refusal::kNone) {
    const bool no_threads = refusal == WorkerPool::Refusal::kNoThreads;
    if (no_threads && mode == Mode::kAuto && !call.operation_.spec().blocks()) {
      call.place_ = Place::kInline;
      call.order_ = 0;
      AddToNextTurn(call);
      return Submission::kQueued;
    }
    ++call.stats_->counts.refused;
    Release(call);
    return no_threads ? Submission::kNoThreads : Submission::kFull;
  }
  Begun(call);
  return Submission::kQueued;
}

OperationRunner::Submission OperationRunner::SubmitJob(OperationCall& call) {
  if (!call.operation_.CopyInputs()) {
    Release(call);
    return Submission::kNoMemory;
  }
  const JobArgs args = {&call};
  JobRequest request;
  request.owner = this;
  request.id = call.id_;
  request.function = &RunInJob;
  request.args = &args;
  request.args_size = sizeof(args);
  // An engine or provider may serve another kind of operation in another way.
  request.wait_group = call.stats_;
  if (call.backend_ != nullptr) request.wait_mode = call.backend_->wait_mode;
  call.job_ = &scheduler_.Submit(request);
  Begun(call);
  return Submission::kQueued;
}

int OperationRunner::RunInJob(void* args) {
  OperationCall* call = static_cast<JobArgs*>(args)->call;
  call->in_job_ = true;
  call->operation_.Run();
  call->in_job_ = false;
  return 1;
}

// --- OperationRunner: ends

void OperationRunner::OnEnd(const ScheduledJob& job) {
  OperationCall& call = *Find(job.id());
  call.job_ = nullptr;
  call.pauses_ = job.pauses();
  call.wakeups_ = job.wakeups();
  if (job.failed()) {
    call.in_job_ = false;
    call.operation_.SetError(job.failure());
  }
  ended_.push_back(&call);
}

void OperationRunner::OnCompletions() {
  completions_->TakeAll(
      [this](CompletionQueue::Entry* entry) { ended_.push_back(static_cast<OperationCall*>(entry)); });
  TellEnded();
}

void OperationRunner::AccountToHolder(const OperationCall& call) {
  BackendStats* backend = call.backend_;
  if (call.passed_over_ != nullptr && call.operation_.ok()) ++call.passed_over_->not_offloaded;
  if (backend == nullptr) return;
  const bool could_pause = call.operation_.spec().may_pause() && call.place_ != Place::kPool;
  const bool ran_here = call.fell_back_ || (could_pause && call.pauses_ == 0);
  if (call.operation_.ok() && ran_here) ++backend->not_offloaded;
  if (call.fell_back_) return;
  ++backend->operations;
  if (call.pauses_ > 0) ++backend->paused;
  backend->pauses += call.pauses_;
  backend->wakeups.Add(call.wakeups_);
  if (!call.operation_.ok()) ++backend->failed;
  backend->total_time.Record(NowNs() - call.submitted_ns_);
}

bool OperationRunner::Account(OperationCall& call) {
  if (call.place_ == Place::kInline) return true;  // counted already
  AccountToHolder(call);
  AlgorithmStats& stats = *call.stats_;
  OperationCounts& counts = stats.counts;
  if (!call.operation_.ok() && !call.abandoned_ && call.operation_.spec().fallback()) {
    ++counts.fallbacks;
    if (call.backend_ != nullptr) ++call.backend_->fallbacks;
    call.fell_back_ = true;
    call.operation_.Restart(call.operation_.spec().fallback());
    call.place_ = Place::kPool;
    call.completions_ = completions_;
    call.waker = completions_.get();
    call.expected_ns = UINT32_MAX;
    if (WorkerPool::Get().Submit(&call) == WorkerPool::Refusal::kNone) return false;
    call.operation_.Run();
  }
  if (call.place_ == Place::kJob) {
    ++counts.jobs;
    if (call.pauses_ > 0) ++counts.paused;
    counts.pauses += call.pauses_;
  } else {
    ++counts.offloaded;
    Learn(call);
  }
  if (!call.operation_.ok()) ++counts.failed;
  if (call.operation_.ended_ns() == 0) return true;  // it never ran
  const uint64_t total_ns = NowNs() - call.submitted_ns_;
  stats.queue_time.Record(call.queue_ns());
  stats.run_time.Record(call.run_ns());
  stats.total_time.Record(total_ns);
  // The call was alone all the time, so the time beyond its run is the cost of a hop.
  if (call.place_ == Place::kPool && call.order_ == submissions_ && total_ns > call.run_ns()) {
    hop_alone_.Add(std::min(total_ns - call.run_ns(), kMostHopNs));
  }
  return true;
}

void OperationRunner::TellEnded() {
  if (ended_.empty() && !periods_.any_ended()) return;
  // JavaScript may run the loop, and so come back here.
  std::vector<OperationCall*> telling = std::move(told_);
  telling.swap(ended_);
  const auto goes_on = [this](OperationCall* call) {
    if (!Account(*call)) return true;
    call->told_ = true;
    Over(*call);
    return false;
  };
  telling.erase(std::remove_if(telling.begin(), telling.end(), goes_on), telling.end());
  const size_t outer = std::exchange(telling_, telling.size());
  delegate_.OnOperations(telling.data(), telling.size());
  telling_ = outer;
  telling.clear();
  told_ = std::move(telling);
  while (const std::optional<JobId> id = periods_.TakeEnded()) {
    Unwant();
    delegate_.OnEnds(*id);
  }
}

OperationCall& OperationRunner::Acquire(JobId id) {
  std::unique_ptr<OperationCall> call;
  if (free_.empty()) {
    call = std::make_unique<OperationCall>();
  } else {
    call = std::move(free_.back());
    free_.pop_back();
  }
  call->id_ = id;
  call->pauses_ = 0;
  call->wakeups_ = WakeupCounts();
  call->job_ = nullptr;
  call->blocking_.reset();
  call->order_ = 0;
  call->abandoned_ = call->in_job_ = call->told_ = call->fell_back_ = false;
  if (id >= by_id_.size()) by_id_.resize(std::max<size_t>(id + 1, by_id_.size() * 2));
  by_id_[id] = call.get();
  return *call.release();
}

// --- OperationRunner: teardown

void OperationRunner::Close(std::function<void()> done) {
  EndBlockingCalls();
  for (OperationCall* call : by_id_) {
    if (call == nullptr) continue;
    // Calls of abandoned jobs keep their memory, like the jobs themselves.
    const bool is_over = call->told_ || (call->place_ == Place::kPool ? PoolOf(*call).Cancel(call) : !call->in_job_);
    if (is_over) Release(*call);
  }
  if (completions_) {
    completions_->Close();  // from here on, the pool frees the calls that it is running
    completions_->TakeAll([this](CompletionQueue::Entry* entry) { Release(*static_cast<OperationCall*>(entry)); });
  }
  pollers_.Clear();
  new_turn_.reset();
  idle_.reset();
  check_.reset();
  open_->WhenAllClosed(std::move(done));
}

}  // namespace openssl_async
