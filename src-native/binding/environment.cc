#include "binding/environment.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "binding/contract.h"
#include "binding/operation_event.h"
#include "job/job_stack.h"

namespace openssl_async {

namespace {

// The environments that have not been closed, of all threads. process.exit() ends the main thread's environment without
// its teardown; an exit handler then does the part of it that matters: to drive jobs to their end.
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
    WorkerPool::Get();  // whose end, being registered earlier, comes later: jobs need it for theirs
    atexit([] { Get().DrainThisThreads(); });
  }

  void DrainThisThreads() {
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

// --- WaitContextHandle

WaitContextHandle::WaitContextHandle(std::shared_ptr<Environment> environment, std::unique_ptr<WaitPoint> wait_point)
    : environment_(std::move(environment)), wait_point_(std::move(wait_point)) {
  environment_->wait_contexts_.insert(this);
}

WaitContextHandle::~WaitContextHandle() {
  environment_->wait_contexts_.erase(this);
  if (busy()) wait_point_->Abandon();  // JavaScript keeps a living job's context, so this is the environment's end
}

std::vector<FdCleanup> WaitContextHandle::Close() {
  std::vector<FdCleanup> cleanups;
  if (wait_point_ != nullptr) cleanups = wait_point_->Close();
  wait_point_.reset();
  return cleanups;
}

void WaitContextHandle::Observe(uint32_t id) {
  id_ = id;
  wait_point_->Observe(this);
}

void WaitContextHandle::StopObserving() { wait_point_->Observe(nullptr); }

void WaitContextHandle::OnCallback() {
  environment_->callbacks_.push_back(id_);
  environment_->scheduler_->RequestDelivery();
}

// --- Environment

Result<std::shared_ptr<Environment>> Environment::Create(Napi::Env env) {
  std::shared_ptr<Environment> environment(new Environment(env));
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return Error{"ERR_ASYNC_LOOP", "The environment has no event loop", {}};
  }
  Result<std::unique_ptr<Scheduler>> scheduler = Scheduler::Create(loop, *environment);
  if (!scheduler.ok()) return scheduler.error();
  environment->scheduler_ = std::move(scheduler.value());
  Result<std::unique_ptr<OperationRunner>> operations =
      OperationRunner::Create(loop, *environment->scheduler_, *environment);
  if (!operations.ok()) {
    Scheduler::Discard(std::move(environment->scheduler_));
    return operations.error();
  }
  environment->operations_ = std::move(operations.value());
  environment->remote_requests_ =
      std::make_shared<RemoteRequests>(static_cast<RemoteRequests::Delegate&>(*environment));
  environment->self_ = environment;
  OpenEnvironments::Get().Add(environment.get());
  napi_add_async_cleanup_hook(env, &OnTeardown, environment.get(), &environment->teardown_);
  return environment;
}

Environment::~Environment() = default;

void Environment::SetEventSink(Napi::Int32Array buffer, Napi::Function on_events, Napi::Function on_callbacks,
                               Napi::Int32Array state) {
  buffer_ = Napi::Weak(buffer);
  on_events_ = Napi::Weak(on_events);
  on_callbacks_ = Napi::Weak(on_callbacks);
  state_ = state.Data() + StateWord::kInside;
  async_context_ = std::make_unique<Napi::AsyncContext>(env_, "openssl-async");
}

void Environment::SetCallBuffers(Napi::Float64Array words, Napi::Uint8Array bytes, Napi::Int32Array result) {
  call_buffers_ = {words.Data(), bytes.Data(), bytes.ByteLength(), result.Data()};
}

bool Environment::IsIdle() const { return scheduler_->idle() && operations_->in_flight() == 0 && callbacks_.empty(); }

void Environment::HoldJavaScript() {
  expects_events_ = true;
  on_events_.Ref();
}

void Environment::LetGoOfJavaScript() {
  expects_events_ = false;
  on_events_.Unref();
}

void Environment::OnEvents(const JobEvent* events, size_t count) {
  if (operations_->in_flight() == 0) {
    Tell(events, count);
  } else {
    std::vector<JobEvent> others = std::move(job_events_);
    for (const JobEvent* event = events; event < events + count; ++event) {
      if (!operations_->OnJobEvent(*event)) others.push_back(*event);
    }
    if (!others.empty()) Tell(others.data(), others.size());
    others.clear();
    job_events_ = std::move(others);
    operations_->TellEnded();
  }
  MayBeIdle();
}

void Environment::Tell(const JobEvent* events, size_t count) {
  const Napi::HandleScope scope(env_);
  if (!expects_events_) return;  // JavaScript is gone, or does not know of any
  Napi::Int32Array buffer = buffer_.Value();
  const size_t capacity = buffer.ElementLength() / kWordsPerEvent;
  for (size_t sent = 0; sent < count;) {
    const size_t part = std::min(capacity, count - sent);
    memcpy(buffer.Data(), events + sent, part * sizeof(JobEvent));
    CallSink(on_events_, Napi::Number::New(env_, static_cast<double>(part)));
    sent += part;
  }
}

void Environment::OnOperations(OperationCall* const* calls, size_t count) {
  if (count == 0) return;
  const Napi::HandleScope scope(env_);
  Napi::Int32Array buffer = buffer_.Value();
  const size_t capacity = buffer.ElementLength() / kWordsPerOperationEvent;
  int32_t* words = buffer.Data();
  Napi::Uint8Array outputs = outputs_.Value();
  OutputArena arena(outputs.Data(), outputs.ByteLength());
  size_t filled = 0;
  const auto flush = [&] {
    if (filled > 0) CallSink(on_events_, Napi::Number::New(env_, static_cast<double>(filled)));
    filled = 0;
    arena.Wipe();
  };
  for (size_t i = 0; i < count; ++i) {
    OperationCall& call = *calls[i];
    if (filled == capacity || !arena.HasRoomFor(call)) flush();
    // The call stays when it has more to give than the event can carry.
    const bool is_whole = WriteOperationEvent(call, words + filled * kWordsPerOperationEvent, arena);
    ++filled;
    if (is_whole || call.abandoned()) operations_->Release(call);
  }
  flush();
  MayBeIdle();
}

void Environment::OnDelivery() {
  const Napi::HandleScope scope(env_);
  try {
    DeliverCallbacks();
    DeliverRemoteRequests();
  } catch (const Napi::Error&) {
    // The worker is being terminated: nobody is left to tell, and libuv, which called us, passes no exceptions on.
  }
}

void Environment::DeliverCallbacks() {
  const std::vector<uint32_t> ids = TakeCallbacks();
  if (ids.empty() || on_callbacks_.Value().IsEmpty()) return;
  Napi::Array argument = Napi::Array::New(env_, ids.size());
  for (size_t i = 0; i < ids.size(); ++i) argument.Set(static_cast<uint32_t>(i), ids[i]);
  CallSink(on_callbacks_, argument);
}

void Environment::DeliverRemoteRequests() {
  if (remote_inbox_ == nullptr || !expects_events_) return;
  remote_inbox_->Deliver(*remote_requests_, [this](const Napi::FunctionReference& on_requests, size_t count) {
    CallSink(on_requests, Napi::Number::New(env_, static_cast<double>(count)));
  });
}

// The sinks catch what they call. What still gets out is a fault of the whole process and is treated as one; while the
// environment ends there is nobody left to tell.
void Environment::CallSink(const Napi::FunctionReference& sink, Napi::Value argument) {
  napi_value argv[] = {argument};
  napi_value result = nullptr;
  const napi_status status = napi_make_callback(env_, *async_context_, env_.Global(), sink.Value(), 1, argv, &result);
  if (status != napi_pending_exception) return;
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
}

void Environment::Drain() {
  if (drained_) return;
  drained_ = true;
  remote_requests_->Close();  // nobody is left to answer
  const size_t left = scheduler_->Drain(drain_timeout_ms_);
  if (left == 0) return;
  const size_t stack_bytes = std::max<size_t>(GetStackStats().stack_size_bytes, 32 * 1024);
  fprintf(stderr,
          "(openssl-async) Warning: %zu paused OpenSSL jobs did not end within %llu ms of their environment's end and "
          "were abandoned with their memory (about %zu KiB): freeing what an engine still uses is not safe.\n",
          left, static_cast<unsigned long long>(drain_timeout_ms_), left * (stack_bytes + sizeof(ScheduledJob)) / 1024);
}

// It may be closing already, as nobody used it any more; the thread's end waits for that.
void Environment::OnTeardown(napi_async_cleanup_hook_handle, void* self) { static_cast<Environment*>(self)->Close(); }

void Environment::CloseUnused() { Close(); }

void Environment::Close() {
  if (std::exchange(closing_, true)) return;
  OpenEnvironments::Get().Remove(this);
  Drain();
  async_context_.reset();
  for (WaitContextHandle* context : wait_contexts_) {
    if (!context->busy()) context->Close();
  }
  operations_->Close([this] {
    scheduler_->Close([this] {
      const std::shared_ptr<Environment> self = std::move(self_);  // may be the last to hold us
      napi_remove_async_cleanup_hook(teardown_);
    });
  });
}

}  // namespace openssl_async
