// Handshakes on the event loop whose keys may pause, each step in an OpenSSL job.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "placement/operation_runner.h"
#include "scheduler/scheduler.h"
#include "tls/connection.h"

namespace openssl_async {

class HandshakeJobs final : private JobOwner {
 public:
  // `on_ended` is called outside all jobs when TakeEnded() has something to give.
  HandshakeJobs(Scheduler& scheduler, OperationRunner& operations, std::function<void()> on_ended);
  // Jobs that have not ended keep their connections for good.
  ~HandshakeJobs();
  HandshakeJobs(const HandshakeJobs&) = delete;
  HandshakeJobs& operator=(const HandshakeJobs&) = delete;

  // The connection wants a job. It is not destroyed while is_in_job().
  void Start(Connection& connection);
  // Nobody wants the connection any more: it ends with its job.
  void Abandon(std::unique_ptr<Connection> connection);
  // The ids of connections whose jobs have ended; Connection::EndJob() follows.
  std::vector<uint32_t> TakeEnded() { return std::exchange(ended_, {}); }

 private:
  struct Step {
    explicit Step(Connection& which) : connection(which) {}

    Connection& connection;
    std::unique_ptr<Connection> abandoned;
    ScheduledJob* job = nullptr;
    std::vector<BackendStats*> backends;
    bool has_run = false;  // to its end
  };
  struct JobArgs {
    Step* step;
  };
  static int RunInJob(void* args);

  void OnEnd(const ScheduledJob& job) override;
  void OnDelivery() override { on_ended_(); }

  void Forget(JobId id, const ScheduledJob* job);

  Scheduler& scheduler_;
  OperationRunner& operations_;
  const std::function<void()> on_ended_;
  std::unordered_map<JobId, std::unique_ptr<Step>> steps_;
  std::vector<uint32_t> ended_;
  JobId last_id_ = 0;
};

}  // namespace openssl_async
