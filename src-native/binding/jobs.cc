#include <openssl_async.h>

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

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

// Null for null: a job that is made of commands.
JobFunction ToJobFunction(Napi::Value value) {
  const JobFunction function = JobFunctionOf(value);
  if (function == nullptr && !value.IsNull()) ThrowWrongHandle(value.Env(), "a job function");
  return function;
}

// A job that has not ended.
ScheduledJob& JobOf(Napi::Value value) {
  const JobHandle& handle = ToHandle<JobHandle>(value);
  if (handle.job == nullptr) ThrowWrongHandle(value.Env(), HandleType<JobHandle>::kName);
  return *handle.job;
}

// (function external or null for commands, args, wait context)
JobRequest ToRequest(Info info, size_t first) {
  JobRequest request;
  request.function = ToJobFunction(info[first]);
  const ByteView args = ToView(info[first + 1]);
  request.args = args.data;
  request.args_size = args.size;
  const auto* context = ToOptionalHandle<WaitContextHandle>(info[first + 2]);
  if (context != nullptr) request.wait_point = context->wait_point();
  return request;
}

Napi::Value CreateJob(Info info) {
  Environment& environment = Environment::From(info);
  return NewHandle<JobHandle>(info.Env(), environment.shared_from_this(),
                              environment.scheduler()->CreateManual(ToRequest(info, 0)));
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

// Starts or resumes the job. Returns a RunStatus, or an error's data when the job must not run now.
Napi::Value RunJob(Info info) {
  JobHandle& handle = ToHandle<JobHandle>(info[0]);
  if (handle.job == nullptr) {
    return ToJs(info.Env(), Error{"ERR_ASYNC_JOB_FINISHED", "The job has finished", {}});
  }
  if (Result<void> allowed = handle.job->job().CheckMayRun(); !allowed.ok()) return ToJs(info.Env(), allowed.error());
  const JobStatus status = handle.environment->scheduler()->RunManual(*handle.job);
  if (status == JobStatus::kPause) handle.environment->ExpectEvents();  // JavaScript has to stay until the job ends
  const bool handed_over = status == JobStatus::kPause && handle.job->program().handed_over();
  return Napi::Number::New(info.Env(), static_cast<int>(handed_over ? RunStatus::kHandedOver : ToRunStatus(status)));
}

Napi::Value ContinueJob(Info info) {
  Command command;
  command.kind = static_cast<Command::Kind>(ToInt32(info[1]));
  command.key = static_cast<uintptr_t>(ToUint32(info[2]));
  command.fd = WaitFdFromNumber(ToInt32(info[3]));
  command.wants_cleanup = ToBool(info[4]);
  command.return_value = ToInt32(info[5]);
  if (info[0].IsNumber()) {
    Environment::From(info).jobs().Continue(ToUint32(info[0]), command);
  } else {
    JobOf(info[0]).program().Continue(command);
  }
  return info.Env().Undefined();
}

// After a hand-over: [1 when OpenSSL accepted the command, its fd].
Napi::Value JobOutcome(Info info) {
  const CommandOutcome& outcome = JobOf(info[0]).program().outcome();
  Napi::Array array = Napi::Array::New(info.Env(), 2);
  array.Set(0U, outcome.ok ? 1 : 0);
  array.Set(1U, WaitFdToNumber(outcome.fd));
  return array;
}

// After the end: { returnValue, exception?, opensslErrors }. The job is let go.
Napi::Value EndJob(Info info) {
  const Job& job = JobOf(info[0]).job();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("returnValue", job.return_value());
  if (const std::string* exception = job.exception(); exception != nullptr) result.Set("exception", *exception);
  result.Set("opensslErrors", ToJs(info.Env(), job.errors().Lines()));
  JobHandle& handle = ToHandle<JobHandle>(info[0]);
  handle.environment->scheduler()->ReleaseManual(std::exchange(handle.job, nullptr), nullptr, kNoJobId);
  handle.environment->MayBeIdle();
  return result;
}

// True when the job had not ended: it goes on under the id given, and its end will be told.
Napi::Value ReleaseJob(Info info) {
  JobHandle& handle = ToHandle<JobHandle>(info[0]);
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

// (words, bytes of the arguments)
Napi::Value SetBatchBuffers(Info info) {
  Environment::From(info).jobs().SetBatchBuffers(
      {info[0].As<Napi::Int32Array>().Data(), info[1].As<Napi::Uint8Array>().Data()});
  return info.Env().Undefined();
}

// (function external): jobs with wait contexts of the scheduler's own. The counts become 0 here, as JavaScript may be
// ended as soon as this returns.
Napi::Value SubmitBatch(Info info) {
  Environment& environment = Environment::From(info);
  JobRequest request;
  request.function = ToJobFunction(info[0]);
  const auto [words, bytes] = environment.jobs().batch();
  const int32_t count = std::exchange(words[BatchWord::kCount], 0);
  const auto used = static_cast<size_t>(std::exchange(words[BatchWord::kBytes], 0));
  const unsigned char* args = bytes;
  const int32_t* job = words + kBatchHeadWords;
  for (int32_t i = 0; i < count; ++i, job += kWordsPerBatchJob) {
    const int32_t size = job[BatchJobWord::kArgsSize];
    request.args = size < 0 ? nullptr : args;
    request.args_size = size < 0 ? 0 : static_cast<size_t>(size);
    environment.jobs().Submit(request, static_cast<JobId>(job[BatchJobWord::kId]));
    args += request.args_size;
  }
  Wipe(bytes, used);
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
  Environment::From(info).scheduler()->SetTracing(ToBool(info[0]));
  return info.Env().Undefined();
}

}  // namespace

void AddJobExports(Exports& addon) {
  Exports jobs = addon.Subject("jobs");
  jobs.Add("isFunction", &IsJobFunction);
  jobs.Add("create", &CreateJob);
  jobs.Add("run", &RunJob);
  jobs.Add("continue", &ContinueJob);
  jobs.Add("outcome", &JobOutcome);
  jobs.Add("end", &EndJob);
  jobs.Add("release", &ReleaseJob);
  jobs.Add("submit", &Submit);
  jobs.Add("setBatchBuffers", &SetBatchBuffers);
  jobs.Add("submitBatch", &SubmitBatch);
  jobs.Add("interrupt", &Interrupt);
  jobs.Add("abandon", &Abandon);
  jobs.Add("takeFailure", &TakeFailure);
  jobs.Add("setTracing", &SetTracing);
  jobs.Add("knows", &KnowsJob);
}

}  // namespace openssl_async
