#include "tls/handshake_jobs.h"

namespace openssl_async {

namespace {

// JavaScript, which numbers its own calls, is told of a running job's id: these are none of its numbers.
constexpr JobId kFirstId = 0x8000'0000;
constexpr JobId kIds = 0x7fff'0000;

}  // namespace

HandshakeJobs::HandshakeJobs(Scheduler& scheduler, OperationRunner& operations, std::function<void()> on_ended)
    : scheduler_(scheduler), operations_(operations), on_ended_(std::move(on_ended)) {
  scheduler_.AddTarget(*this);
}

HandshakeJobs::~HandshakeJobs() {
  for (auto& [id, step] : steps_) {
    if (step->has_run) continue;
    static_cast<void>(step->abandoned.release());
    static_cast<void>(step.release());
  }
}

void HandshakeJobs::Start(Connection& connection) {
  const JobId id = kFirstId + last_id_++ % kIds;
  auto step = std::make_unique<Step>(connection);
  const JobArgs args = {step.get()};
  JobRequest request;
  request.owner = this;
  request.id = id;
  request.function = &RunInJob;
  request.args = &args;
  request.args_size = sizeof(args);
  request.wait_group = this;
  for (const std::string& backend : connection.signer().backends()) {
    step->backends.push_back(&operations_.BeginOther(backend));
  }
  // The fds of one backend are no offers of another one.
  if (!step->backends.empty()) {
    request.wait_group = step->backends.front();
    request.wait_mode = step->backends.front()->wait_mode;
  }
  connection.BeginJob(id);
  step->job = &scheduler_.Submit(request);
  steps_.emplace(id, std::move(step));
}

int HandshakeJobs::RunInJob(void* args) {
  Step& step = *static_cast<JobArgs*>(args)->step;
  step.connection.RunJob();
  step.has_run = true;
  return 1;
}

void HandshakeJobs::Abandon(std::unique_ptr<Connection> connection) {
  const auto found = steps_.find(connection->job());
  if (found == steps_.end()) return;
  Step& step = *found->second;
  step.abandoned = std::move(connection);
  step.abandoned->Cut();
  if (scheduler_.Abandon(*step.job)) Forget(found->first, nullptr);  // it had not begun
}

void HandshakeJobs::Forget(JobId id, const ScheduledJob* job) {
  const std::unique_ptr<Step> step = std::move(steps_.at(id));
  steps_.erase(id);
  for (BackendStats* backend : step->backends) operations_.EndOther(*backend, job);
}

void HandshakeJobs::OnEnd(const ScheduledJob& job) {
  const auto found = steps_.find(job.id());
  if (found == steps_.end()) return;
  Connection& connection = found->second->connection;
  connection.CountPauses(job.pauses());
  if (found->second->abandoned == nullptr) ended_.push_back(connection.id());
  Forget(job.id(), &job);
}

}  // namespace openssl_async
