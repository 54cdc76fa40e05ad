// Runs the benchmark's trials on this library's own classes inside Node: the scheduler on Node's loop, or bare jobs.
//
//   run(driver: 'scheduler' | 'job', trial, inFlight, seconds, opsPerJob): Promise<Result>
#include <napi.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef __linux__

#include "job/job.h"
#include "job/job_thread.h"
#include "scheduler/scheduler.h"
#include "workload.h"

namespace {

using openssl_async::Job;
using openssl_async::JobId;
using openssl_async::JobOwner;
using openssl_async::JobRequest;
using openssl_async::JobStatus;
using openssl_async::JobThread;
using openssl_async::Result;
using openssl_async::ScheduledJob;
using openssl_async::Scheduler;
using openssl_async::WaitContext;

struct Wakeups {
  uint64_t fd = 0;
  uint64_t callback = 0;
  uint64_t poll = 0;
};

Napi::Object ToJs(Napi::Env env, const workload_result& result, uint64_t pauses, const Wakeups& wakeups) {
  const auto all_ops = static_cast<double>(result.all_ops == 0 ? 1 : result.all_ops);
  Napi::Object object = Napi::Object::New(env);
  object.Set("nsPerOp", result.ns_per_op);
  object.Set("bytesPerJob", result.bytes_per_job);
  object.Set("ops", static_cast<double>(result.ops));
  object.Set("pausesPerOp", static_cast<double>(pauses) / all_ops);
  Napi::Object wakeups_object = Napi::Object::New(env);
  wakeups_object.Set("fd", static_cast<double>(wakeups.fd));
  wakeups_object.Set("callback", static_cast<double>(wakeups.callback));
  wakeups_object.Set("poll", static_cast<double>(wakeups.poll));
  object.Set("wakeups", wakeups_object);
  return object;
}

// Starts and resumes jobs in turn, as startJob() does, without any loop. Returns the pauses; throws what failed.
class DirectRun {
 public:
  explicit DirectRun(size_t in_flight) : jobs_(in_flight), contexts_(in_flight), slots_(in_flight) {
    for (size_t i = 0; i < in_flight; ++i) {
      Result<WaitContext*> context = WaitContext::Create();
      if (!context.ok()) throw std::runtime_error(context.error().message);
      contexts_[i].reset(context.value());
      slots_[i] = workload_slot_at(i);
    }
  }

  uint64_t Run() {
    JobThread& thread = JobThread::Current();
    const openssl_async::JobBatch batch(thread);
    uint64_t pauses = 0;
    for (size_t running = jobs_.size(); running > 0;) {
      running = 0;
      for (size_t i = 0; i < jobs_.size(); ++i) {
        Job& job = jobs_[i];
        if (!job.paused()) {
          if (workload_over() != 0) continue;
          job.Prepare(contexts_[i].get(), &workload_job, &slots_[i], Job::BlockCheck::kBatched);
        }
        const JobStatus status = job.Run(thread);
        if (status == JobStatus::kPause) {
          ++pauses;
        } else if (status != JobStatus::kFinish || job.return_value() == 0) {
          throw std::runtime_error("a job failed");
        }
        ++running;
      }
    }
    return pauses;
  }

 private:
  std::vector<Job> jobs_;
  std::vector<std::unique_ptr<WaitContext>> contexts_;
  std::vector<workload_slot*> slots_;
};

// Keeps `in_flight` jobs in the scheduler until the time is over. Deletes itself.
class ScheduledRun final : private JobOwner {
 public:
  static Napi::Value Start(Napi::Env env, size_t in_flight) {
    auto* run = new ScheduledRun(env, in_flight);
    const Napi::Promise promise = run->deferred_.Promise();
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    Result<std::unique_ptr<Scheduler>> scheduler = Scheduler::Create(loop);
    if (!scheduler.ok()) {
      run->deferred_.Reject(Napi::Error::New(env, scheduler.error().message).Value());
      delete run;
      return promise;
    }
    run->scheduler_ = std::move(scheduler.value());
    run->scheduler_->AddTarget(*run);
    uv_timer_init(loop, &run->end_);
    run->end_.data = run;
    for (size_t i = 0; i < in_flight; ++i) {
      run->slots_[i] = workload_slot_at(i);
      run->Submit(static_cast<JobId>(i));
    }
    return promise;
  }

 private:
  ScheduledRun(Napi::Env env, size_t in_flight)
      : env_(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        context_(env, "openssl-async:bench"),
        slots_(in_flight),
        live_(in_flight) {}

  void Submit(JobId id) {
    JobRequest request;
    request.owner = this;
    request.id = id;
    request.function = &workload_job;
    request.args = &slots_[id];
    request.args_size = sizeof(slots_[id]);
    scheduler_->Submit(request);
  }

  void OnEnd(const ScheduledJob& job) override {
    if (job.failed() || job.job().return_value() == 0) failed_ = true;
    ended_.push_back(job.id());
  }

  void OnDelivery() override {
    for (const JobId id : ended_) {
      if (workload_over() != 0 || failed_) {
        --live_;
      } else {
        Submit(id);
      }
    }
    ended_.clear();
    // The scheduler is in the middle of its tick.
    if (live_ == 0) {
      uv_timer_start(
          &end_, [](uv_timer_t* timer) { static_cast<ScheduledRun*>(timer->data)->Close(); }, 0, 0);
    }
  }

  void Close() {
    pauses_ = scheduler_->metrics().pauses;
    wakeups_.fd = scheduler_->metrics().fd_wakeups;
    wakeups_.callback = scheduler_->metrics().callback_wakeups;
    wakeups_.poll = scheduler_->metrics().poll_wakeups;
    scheduler_->Close([this] {
      uv_close(reinterpret_cast<uv_handle_t*>(&end_),
               [](uv_handle_t* timer) { static_cast<ScheduledRun*>(timer->data)->Settle(); });
    });
  }

  void Settle() {
    const std::unique_ptr<ScheduledRun> self(this);
    const Napi::HandleScope handles(env_);
    const Napi::CallbackScope scope(env_, context_);
    workload_result result;
    workload_end(&result);
    if (failed_) {
      deferred_.Reject(Napi::Error::New(env_, "a job failed").Value());
    } else {
      deferred_.Resolve(ToJs(env_, result, pauses_, wakeups_));
    }
  }

  Napi::Env env_;
  Napi::Promise::Deferred deferred_;
  Napi::AsyncContext context_;
  std::vector<workload_slot*> slots_;
  std::vector<JobId> ended_;
  size_t live_;
  bool failed_ = false;
  uint64_t pauses_ = 0;
  Wakeups wakeups_;
  uv_timer_t end_{};
  std::unique_ptr<Scheduler> scheduler_;
};

Napi::Value Run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string driver = info[0].As<Napi::String>();
  const std::string trial = info[1].As<Napi::String>();
  const size_t in_flight = info[2].As<Napi::Number>().Uint32Value();
  const double seconds = info[3].As<Napi::Number>().DoubleValue();
  const unsigned ops_per_job = info[4].As<Napi::Number>().Uint32Value();
  if (workload_begin(trial.c_str(), in_flight, seconds, ops_per_job) == 0) {
    throw Napi::Error::New(env, "cannot begin the trial " + trial);
  }
  if (driver == "scheduler") return ScheduledRun::Start(env, in_flight);
  const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
  try {
    const uint64_t pauses = DirectRun(in_flight).Run();
    workload_result result;
    workload_end(&result);
    deferred.Resolve(ToJs(env, result, pauses, Wakeups()));
  } catch (const std::exception& error) {
    deferred.Reject(Napi::Error::New(env, error.what()).Value());
  }
  return deferred.Promise();
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("run", Napi::Function::New(env, &Run, "run"));
  return exports;
}

}  // namespace

#else

namespace {

Napi::Object Init(Napi::Env, Napi::Object exports) { return exports; }

}  // namespace

#endif

NODE_API_MODULE(bench_driver, Init)
