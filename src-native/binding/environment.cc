#include "binding/environment.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "binding/contract.h"
#include "job/job_stack.h"
#include "pool/worker_thread.h"

namespace openssl_async {

namespace {

// The open environments of all threads. process.exit() ends the main thread's environment without a teardown; an exit
// handler then drives the environment's jobs to their end.
class OpenEnvironments {
 public:
  static OpenEnvironments& Get() {
    static auto* environments = new OpenEnvironments();  // reachable until the process is gone
    return *environments;
  }

  void Add(Environment* environment) {
    const std::lock_guard<std::mutex> lock(mutex_);
    environments_.emplace_back(environment, std::this_thread::get_id());
  }

  void Remove(Environment* environment) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto is_it = [environment](const auto& entry) { return entry.first == environment; };
    environments_.erase(std::remove_if(environments_.begin(), environments_.end(), is_it), environments_.end());
  }

 private:
  OpenEnvironments() {
    // Registered first, so they end last: jobs need the pool to end, and waiting threads the drain's answers.
    WorkerPool::Get();
    WorkerPool::ForWaiting();
    atexit([] { Get().DrainThisThreads(); });
  }

  void DrainThisThreads() {
    // Nobody is left whom a job could wait for, and one of those threads may have had a mutex that we need.
    if (OtherThreadsHaveEnded()) return;
    std::vector<Environment*> ours;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const auto& [environment, thread] : environments_) {
        if (thread == std::this_thread::get_id()) ours.push_back(environment);
      }
    }
    for (Environment* environment : ours) environment->Drain();
  }

  std::mutex mutex_;
  std::vector<std::pair<Environment*, std::thread::id>> environments_;
};

}  // namespace

Result<std::shared_ptr<Environment>> Environment::Create(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return Error{"ERR_ASYNC_LOOP", "The environment has no event loop", {}};
  }
  Result<std::unique_ptr<Scheduler>> scheduler = Scheduler::Create(loop);
  if (!scheduler.ok()) return scheduler.error();
  std::shared_ptr<Environment> environment(new Environment(env, std::move(scheduler.value())));
  Result<std::unique_ptr<OperationCalls>> operations = OperationCalls::Create(loop, *environment);
  if (!operations.ok()) {
    Scheduler::Discard(std::move(environment->scheduler_));
    return operations.error();
  }
  environment->operation_calls_ = std::move(operations.value());
  environment->attachments_ = {&environment->remote_keys_,
                               &environment->tls_,
                               &environment->jobs_,
                               &environment->wait_contexts_,
                               environment->operation_calls_.get(),
                               &environment->scheduler_end_};
  environment->self_ = environment;
  OpenEnvironments::Get().Add(environment.get());
  napi_add_async_cleanup_hook(env, &OnTeardown, environment.get(), &environment->teardown_);
  return environment;
}

Environment::Environment(Napi::Env env, std::unique_ptr<Scheduler> scheduler)
    : env_(env), scheduler_(std::move(scheduler)) {}

Environment::~Environment() = default;

void Environment::SetEventSink(Napi::Int32Array buffer, Napi::Function on_events, Napi::Int32Array state) {
  buffer_ = {buffer.Data(), buffer.ElementLength() / kWordsPerEvent};
  on_events_ = Napi::Weak(on_events);
  state_ = state.Data() + StateWord::kInside;
  async_context_ = std::make_unique<Napi::AsyncContext>(env_, "openssl-async");
}

// --- Events for JavaScript

bool Environment::IsIdle() const {
  const auto is_idle = [](const Attachment* attachment) { return attachment->IsIdle(); };
  return std::all_of(attachments_.begin(), attachments_.end(), is_idle);
}

void Environment::HoldJavaScript() {
  expects_events_ = true;
  on_events_.Ref();
}

void Environment::LetGoOfJavaScript() {
  expects_events_ = false;
  on_events_.Unref();
}

void Environment::TellEvents(const int32_t* words, size_t count) {
  const Napi::HandleScope scope(env_);
  if (!expects_events_) return;  // JavaScript is gone, or expects none
  for (size_t told = 0; told < count;) {
    const size_t part = std::min(buffer_.capacity, count - told);
    memcpy(buffer_.words, words + told * kWordsPerEvent, part * kWordsPerEvent * sizeof(int32_t));
    TellBuffer(part);
    told += part;
  }
}

void Environment::TellBuffer(size_t count) { Call(on_events_, Napi::Number::New(env_, static_cast<double>(count))); }

void Environment::Call(const Napi::FunctionReference& sink, Napi::Value argument) {
  napi_value argv[] = {argument};
  napi_value result = nullptr;
  const napi_status status = napi_make_callback(env_, *async_context_, env_.Global(), sink.Value(), 1, argv, &result);
  if (status != napi_pending_exception) return;
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
}

// --- The end

void Environment::Drain() {
  if (std::exchange(drained_, true)) return;
  for (Attachment* attachment : attachments_) attachment->Drain();
}

void Environment::SchedulerEnd::Drain() {
  const uint64_t timeout_ms = environment_.drain_timeout_ms_;
  const size_t left = environment_.scheduler_->Drain(timeout_ms);
  if (left == 0) return;
  const size_t stack_bytes = std::max<size_t>(GetStackStats().stack_size_bytes, 32 * 1024);
  fprintf(stderr,
          "(openssl-async) Warning: %zu paused OpenSSL jobs did not end within %llu ms of their environment's end and "
          "were abandoned with their memory (about %zu KiB): freeing what an engine still uses is not safe.\n",
          left, static_cast<unsigned long long>(timeout_ms), left * (stack_bytes + sizeof(ScheduledJob)) / 1024);
}

// An environment that nobody used any more may be closing already; the thread's end waits for the close.
void Environment::OnTeardown(napi_async_cleanup_hook_handle, void* self) { static_cast<Environment*>(self)->Close(); }

void Environment::CloseUnused() { Close(); }

void Environment::Close() {
  if (std::exchange(closing_, true)) return;
  OpenEnvironments::Get().Remove(this);
  Drain();
  async_context_.reset();
  CloseFrom(0);
}

void Environment::CloseFrom(size_t attachment) {
  if (attachment < attachments_.size()) {
    attachments_[attachment]->Close([this, attachment] { CloseFrom(attachment + 1); });
    return;
  }
  const std::shared_ptr<Environment> self = std::move(self_);  // may be the last reference
  napi_remove_async_cleanup_hook(teardown_);
}

}  // namespace openssl_async
