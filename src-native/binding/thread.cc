// A thread's settings, its pool of jobs and its error queue.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"
#include "job/job_stack.h"
#include "openssl/error_queue.h"
#include "pool/worker_pool.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

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

Napi::Value LargestStackBytesOf(Info info) { return ToNumber(info.Env(), LargestStackBytes()); }

Napi::Value ConfigureStackOptions(Info info) {
  StackOptions options;
  options.stack_size_bytes = ToUint64(info[0]);
  options.max_guarded_stacks = ToUint64(info[1]);
  return Napi::Boolean::New(info.Env(), ConfigureStacks(options));
}

// (threads or 0, whether there is a spare thread). False once the pool has started.
Napi::Value ConfigurePool(Info info) {
  WorkerPool::Options options;
  options.threads = ToUint32(info[0]);
  options.spare_thread = ToBool(info[1]);
  return Napi::Boolean::New(info.Env(), WorkerPool::Get().Configure(options));
}

Napi::Value InitThread(Info info) {
  return ToJs(info.Env(), JobThread::Current().Init(ToUint64(info[0]), ToUint64(info[1])));
}

Napi::Value CleanupThread(Info info) { return ToJs(info.Env(), JobThread::Current().Cleanup()); }

// (function): calls the function where C would be inside a job. The scope ends however the function does; an end of
// JavaScript would skip a `finally`.
Napi::Value Inside(Info info) {
  const Environment::InsideScope inside(Environment::From(info));
  // The plain call, since no C++ exception can be made of JavaScript's end.
  napi_value result = nullptr;
  napi_call_function(info.Env(), info.Env().Undefined(), info[0], 0, nullptr, &result);
  return {info.Env(), result};
}

// (function): returns its result. Functions of node:crypto leave OpenSSL's errors behind, and report errors that others
// have left. The queue is restored however the function ends: with an exception, or with the worker.
Napi::Value IsolateErrors(Info info) {
  const ErrorQueueScope errors;
  napi_value result = nullptr;
  const napi_env env = info.Env();
  if (napi_call_function(env, info.Env().Undefined(), info[0], 0, nullptr, &result) != napi_ok) return {};
  return {env, result};
}

}  // namespace

void AddThreadExports(Exports& addon) {
  Exports thread = addon.Subject("thread");
  thread.Add("setEventSink", &SetEventSink);
  thread.Add("configure", &Configure);
  thread.Add("largestStackBytes", &LargestStackBytesOf);
  thread.Add("configureStacks", &ConfigureStackOptions);
  thread.Add("init", &InitThread);
  thread.Add("cleanup", &CleanupThread);
  thread.Add("inside", &Inside);
  thread.Add("configurePool", &ConfigurePool);
  thread.Add("isolateErrors", &IsolateErrors);
}

}  // namespace openssl_async
