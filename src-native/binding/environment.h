// The addon's state for one copy of its JavaScript on one thread: the scheduler and everything that must end before it.
// Each copy of the JavaScript opens an environment of its own (see exports.h) and numbers its own calls.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "binding/attachment.h"
#include "binding/javascript_jobs.h"
#include "binding/operation_calls.h"
#include "binding/remote_keys.h"
#include "binding/tls.h"
#include "binding/wait_contexts.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

// A job of startJob().
struct JobHandle {
  std::shared_ptr<Environment> environment;
  ScheduledJob* job = nullptr;  // null once it has ended or was let go
};

class Environment final : public std::enable_shared_from_this<Environment> {
 public:
  // Registers its own end with the thread's teardown.
  static Result<std::shared_ptr<Environment>> Create(Napi::Env env);
  // The environment whose function was called.
  static Environment& From(const Napi::CallbackInfo& info) { return *static_cast<Environment*>(info.Data()); }

  ~Environment();

  Napi::Env env() const { return env_; }
  Scheduler* scheduler() const { return scheduler_.get(); }
  WaitContexts& wait_contexts() { return wait_contexts_; }
  RemoteKeys& remote_keys() { return remote_keys_; }
  JavaScriptJobs& jobs() { return jobs_; }
  Tls& tls() { return tls_; }
  OperationCalls& operation_calls() const { return *operation_calls_; }
  OperationRunner& operations() const { return operation_calls_->runner(); }

  // JavaScript reads events from `buffer`, eight words each; it is filled before each call of `on_events(count)`.
  // `state` has the words of StateWord.
  void SetEventSink(Napi::Int32Array buffer, Napi::Function on_events, Napi::Int32Array state);
  // While an InsideScope lives, JavaScript runs where C would be inside a job.
  class InsideScope {
   public:
    explicit InsideScope(Environment& environment) : depth_(environment.state_) { ++*depth_; }
    ~InsideScope() { --*depth_; }
    InsideScope(const InsideScope&) = delete;
    InsideScope& operator=(const InsideScope&) = delete;

   private:
    int32_t* depth_;
  };

  // JavaScript waits for events from now on, and is not collected before all were told.
  void ExpectEvents() {
    if (!expects_events_) HoldJavaScript();
  }
  // Call it when the last thing that JavaScript waited for may have ended.
  void MayBeIdle() {
    if (expects_events_ && IsIdle()) LetGoOfJavaScript();
  }
  // True while JavaScript, if it is still there, waits for events.
  bool expects_events() const { return expects_events_; }

  // `words` has `count` events, one behind the other, which are told in as few calls as the buffer allows.
  void TellEvents(const int32_t* words, size_t count);
  // The array of events, for code that fills it; TellBuffer() then calls JavaScript.
  struct EventBuffer {
    int32_t* words = nullptr;
    size_t capacity = 0;  // events
  };
  const EventBuffer& event_buffer() const { return buffer_; }
  void TellBuffer(size_t count);
  // Runs `tell` where an exception has nowhere to go.
  template <typename Body>
  void TellJavaScript(Body tell) {
    const Napi::HandleScope scope(env_);
    try {
      tell();
    } catch (const Napi::Error&) {
      // The worker is being terminated: nobody is left to tell, and libuv, which called us, passes no exceptions on.
    }
  }
  // A sink catches the exceptions of its listeners. Any other exception is treated as a fault of the whole process;
  // while the environment ends, nobody is left to tell.
  void Call(const Napi::FunctionReference& sink, Napi::Value argument);

  void set_drain_timeout_ms(uint64_t timeout_ms) { drain_timeout_ms_ = timeout_ms; }
  // Drives outstanding jobs to their end; once.
  void Drain();
  // The environment's JavaScript was collected, which happens only while the environment is idle.
  void CloseUnused();

 private:
  // The scheduler's share in the end: jobs are driven to their end, then the loop lets go of the handles that all other
  // attachments use.
  class SchedulerEnd final : public Attachment {
   public:
    explicit SchedulerEnd(Environment& environment) : environment_(environment) {}
    void Drain() override;
    void Close(std::function<void()> done) override { environment_.scheduler_->Close(std::move(done)); }
    bool IsIdle() const override { return environment_.scheduler_->idle(); }

   private:
    Environment& environment_;
  };

  Environment(Napi::Env env, std::unique_ptr<Scheduler> scheduler);
  bool IsIdle() const;
  void HoldJavaScript();
  void LetGoOfJavaScript();
  static void OnTeardown(napi_async_cleanup_hook_handle handle, void* self);
  void Close();
  void CloseFrom(size_t attachment);

  Napi::Env env_;
  std::unique_ptr<Scheduler> scheduler_;
  // Deliveries of one turn come in the order of these members: a job's callback is told before the job's end.
  WaitContexts wait_contexts_{*this};
  RemoteKeys remote_keys_{*this};
  JavaScriptJobs jobs_{*this};
  Tls tls_{*this};
  std::unique_ptr<OperationCalls> operation_calls_;
  SchedulerEnd scheduler_end_{*this};
  // The order of teardown: remote keys, TLS, jobs, wait contexts, operations, the scheduler.
  //
  // Drain() of all comes first. Remote keys refuse their requests, as nobody is left to answer; so the threads of TLS
  // that wait for an answer can end, and the jobs that do, when the scheduler, last, drives all jobs to their ends.
  // Close() follows, one after the other. Waits end before the wait contexts that they watch. Both use the scheduler's
  // handles, and operations its jobs: the scheduler closes last.
  std::vector<Attachment*> attachments_;
  uint64_t drain_timeout_ms_ = 1000;
  bool drained_ = false;
  bool closing_ = false;
  napi_async_cleanup_hook_handle teardown_ = nullptr;
  int32_t no_state_ = 0;
  int32_t* state_ = &no_state_;  // see StateWord
  // While events are expected, `on_events_` keeps this copy of the JavaScript, and so all other references and arrays.
  Napi::FunctionReference on_events_;
  bool expects_events_ = false;
  EventBuffer buffer_;
  std::unique_ptr<Napi::AsyncContext> async_context_;
  std::shared_ptr<Environment> self_;  // until its handles are closed
};

}  // namespace openssl_async
