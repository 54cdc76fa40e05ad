// The module's entry and its exports, as lib/native/contract.ts describes them.
#include <openssl_async.h>

#include <string>

#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/engines.h"
#include "binding/environment.h"
#include "binding/error_scope.h"
#include "binding/exports.h"
#include "binding/guard.h"
#include "binding/operations.h"
#include "binding/providers.h"
#include "binding/remote_keys.h"
#include "job/copies.h"
#include "job/job_stack.h"
#include "openssl/version.h"
#include "wakeup/wait_fd.h"
#include "wakeup/wait_signal.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

uint32_t ToUint32(Napi::Value value) { return value.As<Napi::Number>().Uint32Value(); }
int32_t ToInt32(Napi::Value value) { return value.As<Napi::Number>().Int32Value(); }
uint64_t ToUint64(Napi::Value value) { return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value()); }

// --- The library and the thread

Napi::Value OpenSSLVersionOf(Info info) { return Napi::String::New(info.Env(), OpenSSLVersion()); }
Napi::Value UnsupportedReasonOf(Info info) { return Napi::String::New(info.Env(), UnsupportedReason()); }

// { required, optional }: names.
Napi::Value SymbolNames(Info info) {
  const auto to_js = [&](const std::vector<std::string>& names) {
    Napi::Array array = Napi::Array::New(info.Env(), names.size());
    for (size_t i = 0; i < names.size(); ++i) array.Set(static_cast<uint32_t>(i), names[i]);
    return array;
  };
  Napi::Object names = Napi::Object::New(info.Env());
  names.Set("required", to_js(RequiredSymbols()));
  names.Set("optional", to_js(OptionalSymbolNames()));
  return names;
}

Napi::Value HasSymbolOf(Info info) {
  const std::string name = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), HasSymbol(name.c_str()));
}

// Paths of the addons of all copies of the package in the process, this one's first.
Napi::Value CopiesOf(Info info) {
  Napi::Array paths = Napi::Array::New(info.Env());
  for (const std::string& path : Copies::Paths()) paths.Set(paths.Length(), path);
  for (const std::string& path : Copies::Strangers()) paths.Set(paths.Length(), path);
  return paths;
}

Napi::Value SetEventSink(Info info) {
  Environment& environment = Environment::From(info);
  environment.SetEventSink(info[0].As<Napi::Int32Array>(), info[1].As<Napi::Function>(),
                           info[3].As<Napi::Int32Array>());
  environment.wait_contexts().SetSink(info[2].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value Configure(Info info) {
  SchedulerOptions options;
  options.max_jobs = ToUint64(info[0]);
  options.tick_budget_ns = ToUint64(info[1]) * 1000;
  options.poll_initial_ms = ToUint64(info[2]);
  options.poll_max_ms = ToUint64(info[3]);
  Environment& environment = Environment::From(info);
  environment.scheduler()->Configure(options);
  environment.set_drain_timeout_ms(ToUint64(info[4]));
  return info.Env().Undefined();
}

Napi::Value ConfigureStackOptions(Info info) {
  StackOptions options;
  options.stack_size_bytes = ToUint64(info[0]);
  options.max_guarded_stacks = ToUint64(info[1]);
  return Napi::Boolean::New(info.Env(), ConfigureStacks(options));
}

Napi::Value InitThread(Info info) {
  return ToJs(info.Env(), JobThread::Current().Init(ToUint64(info[0]), ToUint64(info[1])));
}

Napi::Value CleanupThread(Info info) { return ToJs(info.Env(), JobThread::Current().Cleanup()); }

// --- Wait contexts

WaitContextHandle& ContextOf(Napi::Value value) { return *ToHandle<WaitContextHandle>(value); }

Napi::Value CreateWaitContext(Info info) {
  Environment& environment = Environment::From(info);
  Result<std::unique_ptr<WaitPoint>> created = environment.scheduler()->CreateWaitPoint();
  if (!created.ok()) return ToJs(info.Env(), created.error());
  return FromHandle(info.Env(), new WaitContextHandle(environment.shared_from_this(), std::move(created.value())));
}

// [key, fd, key, fd, …] of those whose clean-up is due; undefined while a job lives.
Napi::Value CloseWaitContext(Info info) {
  WaitContextHandle& context = ContextOf(info[0]);
  if (context.busy()) return info.Env().Undefined();
  const std::vector<FdCleanup> cleanups = context.Close();
  Napi::Array array = Napi::Array::New(info.Env(), cleanups.size() * 2);
  for (size_t i = 0; i < cleanups.size(); ++i) {
    array.Set(static_cast<uint32_t>(2 * i), static_cast<double>(cleanups[i].key));
    array.Set(static_cast<uint32_t>(2 * i + 1), WaitFdToNumber(cleanups[i].fd));
  }
  return array;
}

Napi::Value WaitContextFds(Info info) { return ToJs(info.Env(), ContextOf(info[0]).wait_point()->context().Fds()); }

Napi::Value WaitContextChangedFds(Info info) {
  const FdChanges changes = ContextOf(info[0]).wait_point()->context().ChangedFds();
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, ToJs(info.Env(), changes.added));
  both.Set(1U, ToJs(info.Env(), changes.removed));
  return both;
}

Napi::Value WaitContextBusy(Info info) { return Napi::Boolean::New(info.Env(), ContextOf(info[0]).busy()); }

Napi::Value WaitContextStatus(Info info) {
  return Napi::Number::New(info.Env(), ContextOf(info[0]).wait_point()->context().status());
}

Napi::Value SetWaitContextStatus(Info info) {
  ContextOf(info[0]).wait_point()->context().set_status(ToInt32(info[1]));
  return info.Env().Undefined();
}

Napi::Value ObserveCallbacks(Info info) {
  ContextOf(info[0]).Observe(ToUint32(info[1]));
  return info.Env().Undefined();
}

Napi::Value StopObservingCallbacks(Info info) {
  ContextOf(info[0]).StopObserving();
  return info.Env().Undefined();
}

Napi::Value TakeCallbacks(Info info) {
  const std::vector<uint32_t> ids = Environment::From(info).wait_contexts().TakeCallbacks();
  Napi::Array array = Napi::Array::New(info.Env(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) array.Set(static_cast<uint32_t>(i), ids[i]);
  return array;
}

Napi::Value Await(Info info) {
  Environment& environment = Environment::From(info);
  const Result<void> awaited = environment.jobs().Await(*ContextOf(info[0]).wait_point(), ToUint32(info[1]));
  if (awaited.ok()) environment.ExpectEvents();
  return ToJs(info.Env(), awaited);
}

Napi::Value CancelAwait(Info info) {
  Environment& environment = Environment::From(info);
  environment.jobs().CancelAwait(ToUint32(info[0]));
  environment.MayBeIdle();
  return info.Env().Undefined();
}

Napi::Value CheckFd(Info info) { return ToJs(info.Env(), CheckWaitFd(WaitFdFromNumber(ToInt32(info[0])))); }

// --- Wait signals

Napi::Value CreateSignal(Info info) {
  Result<std::unique_ptr<WaitSignal>> created = WaitSignal::Create();
  if (!created.ok()) return ToJs(info.Env(), created.error());
  // Closed by closeSignal(), or with the external.
  return FromHandle(info.Env(), new std::unique_ptr<WaitSignal>(std::move(created.value())));
}

std::unique_ptr<WaitSignal>& SignalPointerOf(Napi::Value value) {
  return *ToHandle<std::unique_ptr<WaitSignal>>(value);
}

Napi::Value SignalFd(Info info) {
  return Napi::Number::New(info.Env(), WaitFdToNumber(SignalPointerOf(info[0])->fd()));
}

Napi::Value WakeSignal(Info info) {
  SignalPointerOf(info[0])->Wake();
  return info.Env().Undefined();
}

Napi::Value ClearSignal(Info info) { return Napi::Boolean::New(info.Env(), SignalPointerOf(info[0])->Clear()); }

Napi::Value CloseSignal(Info info) {
  SignalPointerOf(info[0]).reset();
  return info.Env().Undefined();
}

// --- Job functions

// undefined for anything but an external made by openssl_async_create_job_function().
JobFunction JobFunctionOf(Napi::Value value) {
  if (!value.IsExternal()) return nullptr;
  bool tagged = false;
  if (napi_check_object_type_tag(value.Env(), value, &openssl_async_job_function_tag, &tagged) != napi_ok || !tagged) {
    return nullptr;
  }
  union {
    void* data;
    JobFunction function;
  } pointer = {nullptr};
  if (napi_get_value_external(value.Env(), value, &pointer.data) != napi_ok) return nullptr;
  return pointer.function;
}

Napi::Value IsJobFunction(Info info) { return Napi::Boolean::New(info.Env(), JobFunctionOf(info[0]) != nullptr); }

// --- Jobs that JavaScript starts and resumes

JobHandle& JobOf(Napi::Value value) { return *ToHandle<JobHandle>(value); }

// (function external or null for commands, args, wait context)
JobRequest ToRequest(Info info, size_t first) {
  JobRequest request;
  request.function = JobFunctionOf(info[first]);
  const Bytes args = ToBytes(info[first + 1]);
  request.args = args.data;
  request.args_size = args.size;
  if (WaitContextHandle* context = ToHandle<WaitContextHandle>(info[first + 2]); context != nullptr) {
    request.wait_point = context->wait_point();
  }
  return request;
}

Napi::Value CreateJob(Info info) {
  Environment& environment = Environment::From(info);
  return FromHandle(info.Env(), new JobHandle{environment.shared_from_this(),
                                              environment.scheduler()->CreateManual(ToRequest(info, 0))});
}

RunStatus ToRunStatus(JobStatus status) {
  switch (status) {
    case JobStatus::kNoJobs:
      return RunStatus::kNoJobs;
    case JobStatus::kPause:
      return RunStatus::kPause;
    case JobStatus::kFinish:
      return RunStatus::kFinish;
    case JobStatus::kError:
      break;
  }
  return RunStatus::kError;
}

// Starts or resumes it. A RunStatus; an error's data when it must not run now.
Napi::Value RunJob(Info info) {
  JobHandle& handle = JobOf(info[0]);
  if (handle.job == nullptr) {
    return ToJs(info.Env(), Error{"ERR_ASYNC_JOB_FINISHED", "The job has finished", {}});
  }
  if (Result<void> allowed = handle.job->job().CheckMayRun(); !allowed.ok()) return ToJs(info.Env(), allowed.error());
  const JobStatus status = handle.environment->scheduler()->RunManual(*handle.job);
  if (status == JobStatus::kPause) handle.environment->ExpectEvents();  // it has to be there until the job has ended
  const bool handed_over = status == JobStatus::kPause && handle.job->program().handed_over();
  return Napi::Number::New(info.Env(), static_cast<int>(handed_over ? RunStatus::kHandedOver : ToRunStatus(status)));
}

Napi::Value ContinueJob(Info info) {
  Command command;
  command.kind = static_cast<Command::Kind>(ToInt32(info[1]));
  command.key = static_cast<uintptr_t>(ToUint32(info[2]));
  command.fd = WaitFdFromNumber(ToInt32(info[3]));
  command.wants_cleanup = info[4].As<Napi::Boolean>().Value();
  command.return_value = ToInt32(info[5]);
  if (info[0].IsNumber()) {
    Environment::From(info).jobs().Continue(ToUint32(info[0]), command);
  } else {
    JobOf(info[0]).job->program().Continue(command);
  }
  return info.Env().Undefined();
}

// After a hand-over: [1 when OpenSSL accepted the command, its fd].
Napi::Value JobOutcome(Info info) {
  const CommandOutcome& outcome = JobOf(info[0]).job->program().outcome();
  Napi::Array array = Napi::Array::New(info.Env(), 2);
  array.Set(0U, outcome.ok ? 1 : 0);
  array.Set(1U, WaitFdToNumber(outcome.fd));
  return array;
}

// After the end: { returnValue, exception?, opensslErrors }. The job is let go.
Napi::Value EndJob(Info info) {
  JobHandle& handle = JobOf(info[0]);
  const Job& job = handle.job->job();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("returnValue", job.return_value());
  if (const std::string* exception = job.exception(); exception != nullptr) result.Set("exception", *exception);
  const std::vector<std::string> lines = job.errors().Lines();
  Napi::Array errors = Napi::Array::New(info.Env(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) errors.Set(static_cast<uint32_t>(i), lines[i]);
  result.Set("opensslErrors", errors);
  handle.environment->scheduler()->ReleaseManual(std::exchange(handle.job, nullptr), nullptr, kNoJobId);
  handle.environment->MayBeIdle();
  return result;
}

// True when the job had not ended: it goes on under the id given, and its end will be told.
Napi::Value ReleaseJob(Info info) {
  JobHandle& handle = JobOf(info[0]);
  if (handle.job == nullptr) return Napi::Boolean::New(info.Env(), false);
  Environment& environment = *handle.environment;
  const bool goes_on = environment.jobs().Release(std::exchange(handle.job, nullptr), ToUint32(info[1]));
  if (goes_on) environment.ExpectEvents();
  return Napi::Boolean::New(info.Env(), goes_on);
}

// --- Jobs that the loop runs

Napi::Value Submit(Info info) {
  Environment& environment = Environment::From(info);
  JobRequest request = ToRequest(info, 1);
  environment.jobs().Submit(request, ToUint32(info[0]));
  environment.ExpectEvents();
  return info.Env().Undefined();
}

// ([count, id, …], function external or null): jobs without arguments and with wait contexts of the scheduler's own.
// The count becomes 0 here, as JavaScript may be ended as soon as this returns.
Napi::Value SubmitBatch(Info info) {
  Environment& environment = Environment::From(info);
  int32_t* batch = info[0].As<Napi::Int32Array>().Data();
  const int32_t count = std::exchange(batch[0], 0);
  JobRequest request;
  request.function = JobFunctionOf(info[1]);
  for (int32_t i = 1; i <= count; ++i) environment.jobs().Submit(request, static_cast<JobId>(batch[i]));
  environment.ExpectEvents();
  return info.Env().Undefined();
}

Napi::Value Interrupt(Info info) {
  Environment::From(info).jobs().Interrupt(ToUint32(info[0]));
  return info.Env().Undefined();
}

Napi::Value Abandon(Info info) {
  Environment& environment = Environment::From(info);
  const bool forgotten = environment.jobs().Abandon(ToUint32(info[0]));
  environment.MayBeIdle();
  return Napi::Boolean::New(info.Env(), forgotten);
}

Napi::Value TakeFailure(Info info) {
  return ToJs(info.Env(), Environment::From(info).jobs().TakeFailure(ToUint32(info[0])));
}

// Whether an event with this id may come.
Napi::Value KnowsJob(Info info) {
  return Napi::Boolean::New(info.Env(), Environment::From(info).jobs().Knows(ToUint32(info[0])));
}

Napi::Value SetTracing(Info info) {
  Environment::From(info).scheduler()->SetTracing(info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// (function): calls it where C would be inside a job, however it ends; an end of JavaScript skips every `finally`.
Napi::Value Inside(Info info) {
  const Environment::InsideScope inside(Environment::From(info));
  // As it is: a C++ exception cannot be made of JavaScript's end.
  napi_value result = nullptr;
  napi_call_function(info.Env(), info.Env().Undefined(), info[0], 0, nullptr, &result);
  return {info.Env(), result};
}

// --- Statistics

Napi::Value Stats(Info info) {
  const Napi::Env env = info.Env();
  const Scheduler& scheduler = *Environment::From(info).scheduler();
  const Metrics& metrics = scheduler.metrics();
  const auto number = [env](auto value) { return Napi::Number::New(env, static_cast<double>(value)); };
  Napi::Object jobs = Napi::Object::New(env);
  jobs.Set("live", number(scheduler.live()));
  jobs.Set("queued", number(scheduler.queued()));
  jobs.Set("ready", number(scheduler.ready()));
  jobs.Set("waiting", number(scheduler.waiting()));
  jobs.Set("submitted", number(metrics.submitted));
  jobs.Set("started", number(metrics.started));
  jobs.Set("finished", number(metrics.finished));
  jobs.Set("failed", number(metrics.failed));
  jobs.Set("cancelled", number(metrics.cancelled));
  jobs.Set("abandoned", number(metrics.abandoned));
  jobs.Set("pauses", number(metrics.pauses));
  jobs.Set("handOvers", number(metrics.hand_overs));
  jobs.Set("noJobs", number(metrics.no_jobs));
  jobs.Set("engineErrors", number(metrics.engine_errors));
  Napi::Object wakeups = Napi::Object::New(env);
  wakeups.Set("fd", number(metrics.fd_wakeups));
  wakeups.Set("callback", number(metrics.callback_wakeups));
  wakeups.Set("poll", number(metrics.poll_wakeups));
  Napi::Object latency = Napi::Object::New(env);
  latency.Set("queue", ToJs(env, metrics.queue_time));
  latency.Set("run", ToJs(env, metrics.run_time));
  latency.Set("total", ToJs(env, metrics.total_time));
  const StackStats stack_stats = GetStackStats();
  Napi::Object stacks = Napi::Object::New(env);
  constexpr const char* kModes[] = {"none", "default", "guarded"};
  stacks.Set("mode", kModes[static_cast<int>(stack_stats.mode)]);
  stacks.Set("sizeBytes", number(stack_stats.stack_size_bytes));
  stacks.Set("guarded", number(stack_stats.guarded));
  stacks.Set("unguarded", number(stack_stats.unguarded));
  const bool wants_high_water = info[0].As<Napi::Boolean>().Value();
  if (wants_high_water && stack_stats.mode == StackStats::Mode::kGuarded) {
    stacks.Set("highWaterBytes", number(StackHighWaterBytes()));
  } else {
    stacks.Set("highWaterBytes", env.Null());
  }
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("jobs", jobs);
  stats.Set("wakeups", wakeups);
  stats.Set("latency", latency);
  stats.Set("stacks", stacks);
  stats.Set("ticks", number(metrics.ticks));
  stats.Set("threadJobs", number(JobThread::Current().live_of_all()));
  return stats;
}

// An addon of its own for each copy of the JavaScript; an error's data when the loop has no room for it.
Napi::Value Open(Info info) {
  const Napi::Env env = info.Env();
  Result<std::shared_ptr<Environment>> created = Environment::Create(env);
  if (!created.ok()) return ToJs(env, created.error());
  const std::shared_ptr<Environment> environment = std::move(created.value());
  Napi::Object object = Napi::Object::New(env);
  Exports exports(object, *environment);
  exports.Add("setEventSink", &SetEventSink);
  exports.Add("configure", &Configure);
  exports.Add("configureStacks", &ConfigureStackOptions);
  exports.Add("initThread", &InitThread);
  exports.Add("cleanupThread", &CleanupThread);
  exports.Add("createWaitContext", &CreateWaitContext);
  exports.Add("closeWaitContext", &CloseWaitContext);
  exports.Add("waitContextFds", &WaitContextFds);
  exports.Add("waitContextChangedFds", &WaitContextChangedFds);
  exports.Add("waitContextBusy", &WaitContextBusy);
  exports.Add("waitContextStatus", &WaitContextStatus);
  exports.Add("setWaitContextStatus", &SetWaitContextStatus);
  exports.Add("observeCallbacks", &ObserveCallbacks);
  exports.Add("stopObservingCallbacks", &StopObservingCallbacks);
  exports.Add("takeCallbacks", &TakeCallbacks);
  exports.Add("await", &Await);
  exports.Add("cancelAwait", &CancelAwait);
  exports.Add("checkFd", &CheckFd);
  exports.Add("createSignal", &CreateSignal);
  exports.Add("signalFd", &SignalFd);
  exports.Add("wakeSignal", &WakeSignal);
  exports.Add("clearSignal", &ClearSignal);
  exports.Add("closeSignal", &CloseSignal);
  exports.Add("isJobFunction", &IsJobFunction);
  exports.Add("createJob", &CreateJob);
  exports.Add("runJob", &RunJob);
  exports.Add("continueJob", &ContinueJob);
  exports.Add("jobOutcome", &JobOutcome);
  exports.Add("endJob", &EndJob);
  exports.Add("releaseJob", &ReleaseJob);
  exports.Add("submit", &Submit);
  exports.Add("submitBatch", &SubmitBatch);
  exports.Add("interrupt", &Interrupt);
  exports.Add("abandon", &Abandon);
  exports.Add("takeFailure", &TakeFailure);
  exports.Add("setTracing", &SetTracing);
  exports.Add("knowsJob", &KnowsJob);
  exports.Add("inside", &Inside);
  exports.Add("stats", &Stats);
  AddOperationExports(exports);
  AddOperationCallExports(exports);
  AddEngineExports(exports);
  AddProviderExports(exports);
  AddRemoteKeyExports(exports);
  AddErrorScopeExports(exports);
  // Its functions are bound to the environment, and are reached through it alone.
  object.AddFinalizer(
      [](Napi::Env, std::shared_ptr<Environment>* owned) {
        (*owned)->CloseUnused();
        delete owned;
      },
      new std::shared_ptr<Environment>(environment));
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, Guarded(function), name));
  };
  add("opensslVersion", &OpenSSLVersionOf);
  add("unsupportedReason", &UnsupportedReasonOf);
  add("symbolNames", &SymbolNames);
  add("hasSymbol", &HasSymbolOf);
  add("copies", &CopiesOf);
  if (UnsupportedReason().empty()) add("open", &Open);
  return exports;
}

}  // namespace

NODE_API_MODULE(openssl_async, Init)

}  // namespace openssl_async
