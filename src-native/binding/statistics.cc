#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"
#include "job/job_stack.h"
#include "pool/worker_pool.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Napi::Value Stats(Info info) {
  const Napi::Env env = info.Env();
  const Scheduler& scheduler = *Environment::From(info).scheduler();
  const Metrics& metrics = scheduler.metrics();
  Napi::Object jobs = Napi::Object::New(env);
  jobs.Set("live", ToNumber(env, scheduler.live()));
  jobs.Set("queued", ToNumber(env, scheduler.queued()));
  jobs.Set("ready", ToNumber(env, scheduler.ready()));
  jobs.Set("waiting", ToNumber(env, scheduler.waiting()));
  jobs.Set("submitted", ToNumber(env, metrics.submitted));
  jobs.Set("started", ToNumber(env, metrics.started));
  jobs.Set("finished", ToNumber(env, metrics.finished));
  jobs.Set("failed", ToNumber(env, metrics.failed));
  jobs.Set("cancelled", ToNumber(env, metrics.cancelled));
  jobs.Set("abandoned", ToNumber(env, metrics.abandoned));
  jobs.Set("pauses", ToNumber(env, metrics.pauses));
  jobs.Set("handOvers", ToNumber(env, metrics.hand_overs));
  jobs.Set("noJobs", ToNumber(env, metrics.no_jobs));
  jobs.Set("engineErrors", ToNumber(env, metrics.engine_errors));
  Napi::Object wakeups = Napi::Object::New(env);
  wakeups.Set("fd", ToNumber(env, metrics.fd_wakeups));
  wakeups.Set("callback", ToNumber(env, metrics.callback_wakeups));
  wakeups.Set("poll", ToNumber(env, metrics.poll_wakeups));
  Napi::Object latency = Napi::Object::New(env);
  latency.Set("queue", ToJs(env, metrics.queue_time));
  latency.Set("run", ToJs(env, metrics.run_time));
  latency.Set("total", ToJs(env, metrics.total_time));
  const StackStats stack_stats = GetStackStats();
  Napi::Object stacks = Napi::Object::New(env);
  constexpr const char* kModes[] = {"none", "default", "guarded"};
  stacks.Set("mode", kModes[static_cast<int>(stack_stats.mode)]);
  stacks.Set("sizeBytes", ToNumber(env, stack_stats.stack_size_bytes));
  stacks.Set("guarded", ToNumber(env, stack_stats.guarded));
  stacks.Set("unguarded", ToNumber(env, stack_stats.unguarded));
  const bool wants_high_water = ToBool(info[0]);
  if (wants_high_water && stack_stats.mode == StackStats::Mode::kGuarded) {
    stacks.Set("highWaterBytes", ToNumber(env, StackHighWaterBytes()));
  } else {
    stacks.Set("highWaterBytes", env.Null());
  }
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("jobs", jobs);
  stats.Set("wakeups", wakeups);
  stats.Set("latency", latency);
  stats.Set("stacks", stacks);
  stats.Set("ticks", ToNumber(env, metrics.ticks));
  stats.Set("threadJobs", ToNumber(env, JobThread::Current().live_of_all()));
  return stats;
}

Napi::Object ToJs(Napi::Env env, const OperationCounts& counts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inline", ToNumber(env, counts.inlined));
  object.Set("offloaded", ToNumber(env, counts.offloaded));
  object.Set("threadpool", ToNumber(env, counts.threadpool));
  object.Set("jobs", ToNumber(env, counts.jobs));
  object.Set("paused", ToNumber(env, counts.paused));
  object.Set("pauses", ToNumber(env, counts.pauses));
  object.Set("failed", ToNumber(env, counts.failed));
  object.Set("abandoned", ToNumber(env, counts.abandoned));
  object.Set("refused", ToNumber(env, counts.refused));
  object.Set("fallbacks", ToNumber(env, counts.fallbacks));
  return object;
}

// { inFlight, hopMicros, pool, algorithms: { [name]: counts and latencies } }
Napi::Value OperationStats(Info info) {
  const Napi::Env env = info.Env();
  const OperationRunner& operations = Environment::From(info).operations();
  Napi::Object algorithms = Napi::Object::New(env);
  for (const AlgorithmStats& stats : operations.stats()) {
    Napi::Object algorithm = ToJs(env, stats.counts);
    Napi::Object latency = Napi::Object::New(env);
    latency.Set("queue", ToJs(env, stats.queue_time));
    latency.Set("run", ToJs(env, stats.run_time));
    latency.Set("total", ToJs(env, stats.total_time));
    algorithm.Set("latency", latency);
    algorithms.Set(stats.name, algorithm);
  }
  const WorkerPool::Stats pool_stats = WorkerPool::Get().stats();
  Napi::Object pool = Napi::Object::New(env);
  pool.Set("threads", ToNumber(env, pool_stats.threads));
  pool.Set("spareThreads", ToNumber(env, pool_stats.spare_threads));
  pool.Set("queued", ToNumber(env, pool_stats.queued));
  pool.Set("running", ToNumber(env, pool_stats.running));
  pool.Set("submitted", ToNumber(env, pool_stats.submitted));
  pool.Set("completed", ToNumber(env, pool_stats.completed));
  pool.Set("refused", ToNumber(env, pool_stats.refused));
  Napi::Object result = Napi::Object::New(env);
  result.Set("inFlight", ToNumber(env, operations.in_flight()));
  constexpr double kMicro = 1000;
  result.Set("hopMicros", ToNumber(env, static_cast<double>(operations.hop_ns()) / kMicro));
  result.Set("pool", pool);
  result.Set("algorithms", algorithms);
  Napi::Object backends = Napi::Object::New(env);
  for (const BackendStats& stats : operations.backends()) {
    if (stats.operations == 0 && stats.in_flight == 0 && stats.polls == 0) continue;
    Napi::Object backend = Napi::Object::New(env);
    backend.Set("operations", ToNumber(env, stats.operations));
    backend.Set("paused", ToNumber(env, stats.paused));
    backend.Set("pauses", ToNumber(env, stats.pauses));
    backend.Set("fdWakeups", ToNumber(env, stats.wakeups.fd));
    backend.Set("callbacks", ToNumber(env, stats.wakeups.callback));
    backend.Set("retries", ToNumber(env, stats.wakeups.poll));
    backend.Set("polls", ToNumber(env, stats.polls));
    backend.Set("emptyPolls", ToNumber(env, stats.empty_polls));
    backend.Set("failed", ToNumber(env, stats.failed));
    backend.Set("fallbacks", ToNumber(env, stats.fallbacks));
    backend.Set("notOffloaded", ToNumber(env, stats.not_offloaded));
    backend.Set("inFlight", ToNumber(env, stats.in_flight));
    backend.Set("latency", ToJs(env, stats.total_time));
    backends.Set(stats.name, backend);
  }
  result.Set("backends", backends);
  return result;
}

void SetHandshakes(Napi::Env env, const HandshakeMetrics& metrics, Napi::Object stats) {
  Napi::Object latency = Napi::Object::New(env);
  Napi::Object handshakes = Napi::Object::New(env);
  constexpr const char* kPlaces[HandshakeMetrics::kPlaces] = {"loop", "thread"};
  for (size_t i = 0; i < HandshakeMetrics::kPlaces; ++i) {
    handshakes.Set(kPlaces[i], ToNumber(env, metrics.handshakes[i].count()));
    latency.Set(kPlaces[i], ToJs(env, metrics.handshakes[i]));
  }
  stats.Set("handshakes", handshakes);
  stats.Set("latency", latency);
  stats.Set("resumed", ToNumber(env, metrics.resumed));
  Napi::Object early = Napi::Object::New(env);
  early.Set("accepted", ToNumber(env, metrics.early_accepted));
  early.Set("refused", ToNumber(env, metrics.early_refused));
  stats.Set("earlyData", early);
}

// Zeros before the first connection.
Napi::Value TlsStats(Info info) {
  const Napi::Env env = info.Env();
  Hub* const hub = Environment::From(info).tls().hub();
  static const TlsMetrics none;
  const TlsMetrics& metrics = hub == nullptr ? none : hub->metrics();
  const size_t pending = hub == nullptr ? 0 : hub->pending();
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("handshaking", ToNumber(env, pending));
  stats.Set("connections", ToNumber(env, hub == nullptr ? 0 : hub->live()));
  SetHandshakes(env, metrics, stats);
  stats.Set("failed", ToNumber(env, metrics.failed));
  stats.Set("dropped", ToNumber(env, metrics.dropped));
  stats.Set("lent", ToNumber(env, hub == nullptr ? 0 : hub->lent()));
  stats.Set("moved", ToNumber(env, metrics.moved));
  stats.Set("questions", ToNumber(env, metrics.questions));
  stats.Set("pauses", ToNumber(env, metrics.pauses));
  stats.Set("abandoned", ToNumber(env, metrics.abandoned));
  stats.Set("bytesRead", ToNumber(env, hub == nullptr ? 0 : hub->bytes_read()));
  stats.Set("bytesWritten", ToNumber(env, hub == nullptr ? 0 : hub->bytes_written()));
  Napi::Object clients = Napi::Object::New(env);
  clients.Set("connections", ToNumber(env, hub == nullptr ? 0 : hub->clients()));
  SetHandshakes(env, metrics.clients, clients);
  stats.Set("clients", clients);
  return stats;
}

}  // namespace

void AddStatisticsExports(Exports& addon) {
  Exports statistics = addon.Subject("statistics");
  statistics.Add("jobs", &Stats);
  statistics.Add("operations", &OperationStats);
  statistics.Add("tls", &TlsStats);
}

}  // namespace openssl_async
