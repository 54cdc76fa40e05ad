#include "binding/operations.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/cache.h"
#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "libraries/library_context.h"
#include "modules/provider.h"
#include "openssl/error_queue.h"
#include "openssl/fips.h"
#include "operations/registry.h"
#include "pool/worker_pool.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;
using KeyHandle = std::shared_ptr<Key>;

ByteView ToView(Napi::Value value) {
  const Bytes bytes = ToBytes(value);
  return {static_cast<const unsigned char*>(bytes.data), bytes.size};
}

std::string ToText(Napi::Value value) { return value.As<Napi::String>().Utf8Value(); }

// [library, properties]: see ProviderScope. Library 1 is this addon's own.
Result<ProviderScope> ToScope(Napi::Value value) {
  ProviderScope scope;
  if (!value.IsArray()) return scope;
  Napi::Array parts = value.As<Napi::Array>();
  const Napi::Value library = parts[0U];
  scope.properties = ToText(parts[1U]);
  const Napi::Value may_pause = parts[2U];
  scope.may_pause = may_pause.As<Napi::Boolean>().Value();
  if (library.As<Napi::Number>().Int32Value() == 1) {
    Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
    if (!own.ok()) return own.error();
    scope.library_context = own.value();
    if (const Napi::Value backend = parts[4U]; backend.IsString() && ToText(backend) == "provider:accelerator") {
      if (Result<void> allowed = CheckAccelerator(); !allowed.ok()) return allowed.error();
    }
  }
  return scope;
}

// (DER, is private, OpenSSL's name of the type or undefined, scope)
Napi::Value CreateKey(Info info) {
  Result<ProviderScope> scope = ToScope(info[3]);
  if (!scope.ok()) return ToJs(info.Env(), scope.error());
  const std::string type = info[2].IsString() ? ToText(info[2]) : "";
  Result<std::shared_ptr<Key>> key = Key::FromDer(ToView(info[0]), info[1].As<Napi::Boolean>().Value(),
                                                  type.empty() ? nullptr : type.c_str(), scope.value());
  if (!key.ok()) return ToJs(info.Env(), key.error());
  return FromHandle(info.Env(), new KeyHandle(std::move(key.value())));
}

// Keys of a library context that is neither the process's nor the addon's own are remote ones.
Result<void> CheckKeys(const std::vector<std::shared_ptr<Key>>& keys) {
  for (const std::shared_ptr<Key>& key : keys) {
    if (key->scope().library_context == nullptr) continue;
    Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
    if (own.ok() && key->scope().library_context != own.value()) return CheckAccelerator();
  }
  return {};
}

// (family, name in the statistics, names, numbers, keys, bytes, scope, fallback, source)
Napi::Value CreateSpecOf(Info info) {
  const bool in_fips_mode = InFipsMode();
  SpecRequest request;
  Napi::Array names = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < names.Length(); ++i) request.names.push_back(ToText(names[i]));
  Napi::Array numbers = info[3].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); ++i) {
    const Napi::Value number = numbers[i];
    request.numbers.push_back(number.As<Napi::Number>().DoubleValue());
  }
  Napi::Array keys = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < keys.Length(); ++i) request.keys.push_back(*ToHandle<KeyHandle>(keys[i]));
  Napi::Array bytes = info[5].As<Napi::Array>();
  for (uint32_t i = 0; i < bytes.Length(); ++i) {
    if (!request.bytes.emplace_back().Assign(ToView(bytes[i]))) {
      return ToJs(info.Env(), Error{"ERR_MEMORY_ALLOCATION_FAILED", "There is not enough memory", {}});
    }
  }
  Result<ProviderScope> scope = ToScope(info[6]);
  if (!scope.ok()) return ToJs(info.Env(), scope.error());
  request.scope = scope.value();
  if (const PlacedSpec* source = ToHandle<PlacedSpec>(info[8]); source != nullptr) request.source = source->spec;
  if (Result<void> allowed = CheckKeys(request.keys); !allowed.ok()) return ToJs(info.Env(), allowed.error());
  const bool may_pause = request.scope.may_pause;
  const auto family = static_cast<OperationFamily>(info[0].As<Napi::Number>().Int32Value());
  SpecResult created = CreateSpec(family, std::move(request));
  if (!created.ok()) return ToJs(info.Env(), created.error());
  created.value()->set_may_pause(may_pause);
  created.value()->set_asymmetric(IsAsymmetric(family));
  const Napi::Value blocks = info[6].IsArray() ? info[6].As<Napi::Array>()[5U] : info[6];
  created.value()->set_blocks(blocks.IsBoolean() && blocks.As<Napi::Boolean>().Value());
  if (const PlacedSpec* fallback = ToHandle<PlacedSpec>(info[7]); fallback != nullptr) {
    created.value()->set_fallback(fallback->spec);
  }
  const Napi::Value backend = info[6].IsArray() ? info[6].As<Napi::Array>()[4U] : info[6];
  PlacedSpec placed = Environment::From(info).operations().Adopt(std::move(created.value()), ToText(info[1]),
                                                                 backend.IsString() ? ToText(backend) : "");
  if (!HasState(family)) placed.in_fips_mode = in_fips_mode;
  return FromHandle(info.Env(), new PlacedSpec(std::move(placed)));
}

Napi::Value InFipsModeOf(Info info) { return Napi::Boolean::New(info.Env(), InFipsMode()); }

// Undefined where that is not known before a call.
Napi::Value SpecProvider(Info info) {
  const ErrorQueueScope errors;
  const OSSL_PROVIDER* provider = ToHandle<PlacedSpec>(info[0])->spec->Provider();
  return provider == nullptr ? info.Env().Undefined() : Napi::String::New(info.Env(), NameOf(provider));
}

Napi::Value PassOver(Info info) {
  auto* placed = ToHandle<PlacedSpec>(info[0]);
  placed->passed_over = std::exchange(placed->backend, nullptr);
  return info.Env().Undefined();
}

// What it holds goes now, and not when the handle is collected.
Napi::Value ReleaseKey(Info info) {
  ToHandle<KeyHandle>(info[0])->reset();
  return info.Env().Undefined();
}

// Before the process ends, which ends the modules that such calls are in.
Napi::Value EndBlockingCalls(Info info) {
  Environment::From(info).operations().EndBlockingCalls();
  return info.Env().Undefined();
}

Napi::Value ReleaseSpec(Info info) {
  ToHandle<PlacedSpec>(info[0])->spec.reset();
  return info.Env().Undefined();
}

// The key that the last call of a spec found.
Napi::Value TakeKey(Info info) {
  return FromHandle(info.Env(), new KeyHandle(ToHandle<PlacedSpec>(info[0])->spec->TakeKey()));
}

// (algorithm, outcome, µs from the call to the end): of an operation on Node.js's own pool.
Napi::Value RecordThreadpool(Info info) {
  AlgorithmStats& stats = Environment::From(info).operations().StatsOf(ToText(info[0]));
  constexpr double kMicro = 1000;
  switch (static_cast<ThreadpoolOutcome>(info[1].As<Napi::Number>().Int32Value())) {
    case ThreadpoolOutcome::kFailed:
      ++stats.counts.failed;
      [[fallthrough]];
    case ThreadpoolOutcome::kDone:
      ++stats.counts.threadpool;
      stats.total_time.Record(static_cast<uint64_t>(info[2].As<Napi::Number>().DoubleValue() * kMicro));
      break;
    case ThreadpoolOutcome::kAbandoned:
      ++stats.counts.abandoned;
      break;
    case ThreadpoolOutcome::kRefused:
      ++stats.counts.refused;
  }
  return info.Env().Undefined();
}

// (µs that calls may hold the loop for, calls that may be in flight)
Napi::Value ConfigureOperations(Info info) {
  constexpr uint64_t kMicro = 1000;
  OperationRunner::Options options;
  options.max_inline_ns = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()) * kMicro;
  options.max_in_flight = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  Environment::From(info).operations().Configure(options);
  return info.Env().Undefined();
}

// (threads or 0, whether there is a spare thread). False once the pool has started.
Napi::Value ConfigurePool(Info info) {
  WorkerPool::Options options;
  options.threads = info[0].As<Napi::Number>().Uint32Value();
  options.spare_thread = info[1].As<Napi::Boolean>().Value();
  return Napi::Boolean::New(info.Env(), WorkerPool::Get().Configure(options));
}

Napi::Object ToJs(Napi::Env env, const OperationCounts& counts) {
  const auto number = [env](uint64_t value) { return Napi::Number::New(env, static_cast<double>(value)); };
  Napi::Object object = Napi::Object::New(env);
  object.Set("inline", number(counts.inlined));
  object.Set("offloaded", number(counts.offloaded));
  object.Set("threadpool", number(counts.threadpool));
  object.Set("jobs", number(counts.jobs));
  object.Set("paused", number(counts.paused));
  object.Set("pauses", number(counts.pauses));
  object.Set("failed", number(counts.failed));
  object.Set("abandoned", number(counts.abandoned));
  object.Set("refused", number(counts.refused));
  object.Set("fallbacks", number(counts.fallbacks));
  return object;
}

// { inFlight, hopMicros, pool, algorithms: { [name]: counts and latencies } }
Napi::Value OperationStats(Info info) {
  const Napi::Env env = info.Env();
  const auto number = [env](auto value) { return Napi::Number::New(env, static_cast<double>(value)); };
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
  pool.Set("threads", number(pool_stats.threads));
  pool.Set("spareThreads", number(pool_stats.spare_threads));
  pool.Set("queued", number(pool_stats.queued));
  pool.Set("running", number(pool_stats.running));
  pool.Set("submitted", number(pool_stats.submitted));
  pool.Set("completed", number(pool_stats.completed));
  pool.Set("refused", number(pool_stats.refused));
  Napi::Object result = Napi::Object::New(env);
  result.Set("inFlight", number(operations.in_flight()));
  constexpr double kMicro = 1000;
  result.Set("hopMicros", number(static_cast<double>(operations.hop_ns()) / kMicro));
  result.Set("pool", pool);
  result.Set("algorithms", algorithms);
  Napi::Object backends = Napi::Object::New(env);
  for (const BackendStats& stats : operations.backends()) {
    if (stats.operations == 0 && stats.in_flight == 0 && stats.polls == 0) continue;
    Napi::Object backend = Napi::Object::New(env);
    backend.Set("operations", number(stats.operations));
    backend.Set("paused", number(stats.paused));
    backend.Set("pauses", number(stats.pauses));
    backend.Set("fdWakeups", number(stats.wakeups.fd));
    backend.Set("callbacks", number(stats.wakeups.callback));
    backend.Set("retries", number(stats.wakeups.poll));
    backend.Set("polls", number(stats.polls));
    backend.Set("emptyPolls", number(stats.empty_polls));
    backend.Set("failed", number(stats.failed));
    backend.Set("fallbacks", number(stats.fallbacks));
    backend.Set("notOffloaded", number(stats.not_offloaded));
    backend.Set("inFlight", number(stats.in_flight));
    backend.Set("latency", ToJs(env, stats.total_time));
    backends.Set(stats.name, backend);
  }
  result.Set("backends", backends);
  return result;
}

// (backend, WaitMode)
Napi::Value SetWaitMode(Info info) {
  const auto mode = static_cast<WaitMode>(info[1].As<Napi::Number>().Int32Value());
  Environment::From(info).operations().SetWaitMode(ToText(info[0]), mode);
  return info.Env().Undefined();
}

Napi::Value StopPolling(Info info) {
  Environment::From(info).operations().StopPolling(ToText(info[0]));
  return info.Env().Undefined();
}

}  // namespace

void ForgetDevices(Info info) {
  Environment::From(info).scheduler()->ForgetWaitFds();
  Cache::ForgetAll();
}

PollingOptions ToPollingOptions(Info info, size_t first) {
  const auto number = [&](size_t index) { return info[first + index].As<Napi::Number>().Uint32Value(); };
  return {number(0), number(1), number(2)};
}

void AddOperationExports(Exports& exports) {
  exports.Add("createKey", &CreateKey);
  exports.Add("createSpec", &CreateSpecOf);
  exports.Add("specProvider", &SpecProvider);
  exports.Add("inFipsMode", &InFipsModeOf);
  exports.Add("passOver", &PassOver);
  exports.Add("releaseKey", &ReleaseKey);
  exports.Add("releaseSpec", &ReleaseSpec);
  exports.Add("endBlockingCalls", &EndBlockingCalls);
  exports.Add("takeKey", &TakeKey);
  exports.Add("recordThreadpool", &RecordThreadpool);
  exports.Add("configureOperations", &ConfigureOperations);
  exports.Add("configurePool", &ConfigurePool);
  exports.Add("setWaitMode", &SetWaitMode);
  exports.Add("stopPolling", &StopPolling);
  exports.Add("operationStats", &OperationStats);
}

}  // namespace openssl_async
