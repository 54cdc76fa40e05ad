// What the addon keeps for one copy of its JavaScript on one thread: the scheduler and what must end before it. A
// thread has as many as there are copies of the JavaScript: each opens its own (see exports.h) and numbers its calls by
// itself.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>
#include <vector>

#include "binding/remote_inbox.h"
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
  // Registers its own end with the thread's teardown.
  static Result<std::shared_ptr<Environment>> Create(Napi::Env env);
  // That whose function was called.
  static Environment& From(const Napi::CallbackInfo& info) { return *static_cast<Environment*>(info.Data()); }

  ~Environment();

  Scheduler* scheduler() const { return scheduler_.get(); }
  OperationRunner& operations() const { return *operations_; }

  // Where JavaScript reads events: an Int32Array of eight words each, filled before each call of
  // `on_events(count)`; `on_callbacks(ids)` tells which wait contexts were called back. `state` has the words of
  // StateWord.
  void SetEventSink(Napi::Int32Array buffer, Napi::Function on_events, Napi::Function on_callbacks,
                    Napi::Int32Array state);
  // While one lives, JavaScript runs where C would be inside a job.
  class InsideScope {
   public:
    explicit InsideScope(Environment& environment) : depth_(environment.state_) { ++*depth_; }
    ~InsideScope() { --*depth_; }
    InsideScope(const InsideScope&) = delete;
    InsideScope& operator=(const InsideScope&) = delete;

   private:
    int32_t* depth_;
  };

  // JavaScript waits for events from now on: it is not collected before they were told.
  void ExpectEvents() {
    if (!expects_events_) HoldJavaScript();
  }
  // Call it where the last thing that was waited for may have ended.
  void MayBeIdle() {
    if (expects_events_ && IsIdle()) LetGoOfJavaScript();
  }
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
  void SetOutputs(Napi::Uint8Array outputs) { outputs_ = Napi::Weak(outputs); }
  void SetRemoteInbox(std::unique_ptr<RemoteInbox> inbox) { remote_inbox_ = std::move(inbox); }
  RemoteInbox& remote_inbox() const { return *remote_inbox_; }
  const std::shared_ptr<RemoteRequests>& remote_requests() const { return remote_requests_; }
  std::vector<uint32_t> TakeCallbacks() { return std::exchange(callbacks_, {}); }

  void set_drain_timeout_ms(uint64_t timeout_ms) { drain_timeout_ms_ = timeout_ms; }
  // Drives outstanding jobs to their end; once.
  void Drain();
  // Its JavaScript was collected, which happens only while it is idle.
  void CloseUnused();

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
  bool IsIdle() const;
  void HoldJavaScript();
  void LetGoOfJavaScript();
  static void OnTeardown(napi_async_cleanup_hook_handle handle, void* self);
  void Close();

  Napi::Env env_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<OperationRunner> operations_;
  std::shared_ptr<RemoteRequests> remote_requests_;
  std::unordered_set<WaitContextHandle*> wait_contexts_;
  std::vector<uint32_t> callbacks_;
  uint64_t drain_timeout_ms_ = 1000;
  bool drained_ = false;
  bool closing_ = false;
  napi_async_cleanup_hook_handle teardown_ = nullptr;
  CallBuffers call_buffers_;
  int32_t no_state_ = 0;
  int32_t* state_ = &no_state_;       // see StateWord
  std::vector<JobEvent> job_events_;  // kept for its memory
  // `on_events_` keeps its copy of the JavaScript while events are expected; all others live as long as that.
  Napi::FunctionReference on_events_;
  bool expects_events_ = false;
  Napi::FunctionReference on_callbacks_;
  std::unique_ptr<RemoteInbox> remote_inbox_;  // null before there is a remote key
  Napi::Reference<Napi::Int32Array> buffer_;
  Napi::Reference<Napi::Uint8Array> outputs_;
  std::unique_ptr<Napi::AsyncContext> async_context_;
  std::shared_ptr<Environment> self_;  // until its handles are closed
};

}  // namespace openssl_async
