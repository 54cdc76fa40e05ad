// What the addon keeps for one copy of its JavaScript in one environment: the scheduler and what must end before it.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>
#include <vector>

#include "placement/operation_runner.h"
#include "remote/remote_requests.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

class Environment;

// A WaitContext of JavaScript's.
class WaitContextHandle final : private CallbackObserver {
 public:
  WaitContextHandle(std::shared_ptr<Environment> environment, std::unique_ptr<WaitPoint> wait_point);
  ~WaitContextHandle();
  WaitContextHandle(const WaitContextHandle&) = delete;
  WaitContextHandle& operator=(const WaitContextHandle&) = delete;

  WaitPoint* wait_point() const { return wait_point_.get(); }
  bool busy() const {
    return wait_point_ != nullptr && !wait_point_->abandoned() && wait_point_->context().job() != nullptr;
  }
  std::vector<FdCleanup> Close();
  // `id` is what JavaScript knows the context by.
  void Observe(uint32_t id);
  void StopObserving();

 private:
  friend class Environment;
  void OnCallback() override;

  std::shared_ptr<Environment> environment_;
  std::unique_ptr<WaitPoint> wait_point_;
  uint32_t id_ = 0;
};

// A job of startJob()'s.
struct JobHandle {
  std::shared_ptr<Environment> environment;
  ScheduledJob* job = nullptr;  // null once it has ended or was let go
};

class Environment final : public std::enable_shared_from_this<Environment>,
                          private Scheduler::Delegate,
                          private OperationRunner::Delegate,
                          private RemoteRequests::Delegate {
 public:
  // Registers its own end with the environment's teardown. Null, and an error in `result`, when the loop has no room.
  static std::shared_ptr<Environment> Create(Napi::Env env, Result<void>& result);
  static Environment& From(const Napi::CallbackInfo& info);

  ~Environment();

  Scheduler* scheduler() const { return scheduler_.get(); }
  OperationRunner& operations() const { return *operations_; }

  // Where JavaScript reads events: an Int32Array of eight words each, filled before each call of
  // `on_events(count)`; `on_callbacks(ids)` tells which wait contexts were called back.
  void SetEventSink(Napi::Int32Array buffer, Napi::Function on_events, Napi::Function on_callbacks);
  // Where calls of operations are described, and answered when they have run by then.
  struct CallBuffers {
    double* words = nullptr;
    unsigned char* bytes = nullptr;
    size_t size = 0;
    int32_t* result = nullptr;
  };
  void SetCallBuffers(Napi::Float64Array words, Napi::Uint8Array bytes, Napi::Int32Array result);
  const CallBuffers& call_buffers() const { return call_buffers_; }
  // Where the bytes are that operations' events speak of.
  void SetOutputs(Napi::Uint8Array outputs) { outputs_ = Napi::Persistent(outputs); }
  // `on_requests(words)` is told what remote keys are asked.
  void SetRemoteSink(Napi::Function on_requests) { on_remote_requests_ = Napi::Persistent(on_requests); }
  const std::shared_ptr<RemoteRequests>& remote_requests() const { return remote_requests_; }
  std::vector<uint32_t> TakeCallbacks() { return std::exchange(callbacks_, {}); }

  void set_drain_timeout_ms(uint64_t timeout_ms) { drain_timeout_ms_ = timeout_ms; }
  // Drives outstanding jobs to their end; once.
  void Drain();

 private:
  friend class WaitContextHandle;

  explicit Environment(Napi::Env env) : env_(env) {}
  void OnEvents(const JobEvent* events, size_t count) override;
  void OnDelivery() override;
  void OnTurnEnd(bool all_wait) override { operations_->OnTurnEnd(all_wait); }
  void OnRemoteRequest() override { scheduler_->RequestDelivery(); }
  uint32_t RunningJob() const override { return scheduler_->running(); }
  void DeliverCallbacks();
  void DeliverRemoteRequests();
  void OnOperations(OperationCall* const* calls, size_t count) override;
  void Tell(const JobEvent* events, size_t count);
  void CallSink(const Napi::FunctionReference& sink, Napi::Value argument);
  static void OnTeardown(napi_async_cleanup_hook_handle handle, void* self);
  void Close(napi_async_cleanup_hook_handle handle);

  Napi::Env env_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<OperationRunner> operations_;
  std::shared_ptr<RemoteRequests> remote_requests_;
  std::unordered_set<WaitContextHandle*> wait_contexts_;
  std::vector<uint32_t> callbacks_;
  uint64_t drain_timeout_ms_ = 1000;
  bool drained_ = false;
  Napi::Reference<Napi::Int32Array> buffer_;
  Napi::Reference<Napi::Uint8Array> outputs_;
  CallBuffers call_buffers_;
  std::vector<Napi::Reference<Napi::Value>> call_arrays_;  // keep the buffers
  std::vector<JobEvent> job_events_;
  Napi::FunctionReference on_events_;
  Napi::FunctionReference on_callbacks_;
  Napi::FunctionReference on_remote_requests_;
  std::unique_ptr<Napi::AsyncContext> async_context_;
  std::shared_ptr<Environment> self_;  // until its handles are closed
};

}  // namespace openssl_async
