#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/operation_calls.h"
#include "binding/subjects.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// Call it before the process ends, which also ends the modules that such calls are in.
Napi::Value EndBlockingCalls(Info info) {
  Environment::From(info).operations().EndBlockingCalls();
  return info.Env().Undefined();
}

// (algorithm, outcome, µs from the call to the end): of an operation on Node.js's own pool.
Napi::Value RecordThreadpool(Info info) {
  AlgorithmStats& stats = Environment::From(info).operations().StatsOf(ToText(info[0]));
  constexpr double kMicro = 1000;
  switch (static_cast<ThreadpoolOutcome>(ToInt32(info[1]))) {
    case ThreadpoolOutcome::kFailed:
      ++stats.counts.failed;
      [[fallthrough]];
    case ThreadpoolOutcome::kDone:
      ++stats.counts.threadpool;
      stats.total_time.Record(static_cast<uint64_t>(ToDouble(info[2]) * kMicro));
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
  options.max_inline_ns = ToUint64(info[0]) * kMicro;
  options.max_in_flight = ToUint64(info[1]);
  Environment::From(info).operations().Configure(options);
  return info.Env().Undefined();
}

}  // namespace

void AddOperationExports(Exports& addon) {
  Exports operations = addon.Subject("operations");
  AddOperationCallExports(operations);
  operations.Add("endBlockingCalls", &EndBlockingCalls);
  operations.Add("recordThreadpool", &RecordThreadpool);
  operations.Add("configure", &ConfigureOperations);
}

}  // namespace openssl_async
