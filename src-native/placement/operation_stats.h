// The counters of operations. Loop thread only.
#pragma once

#include <cstdint>
#include <string>

#include "placement/cost_model.h"
#include "scheduler/histogram.h"
#include "scheduler/metrics.h"
#include "wakeup/wait_point.h"

namespace openssl_async {

struct OperationCounts {
  uint64_t inlined = 0;     // ran on the loop's thread, within the call
  uint64_t offloaded = 0;   // ran on the pool
  uint64_t threadpool = 0;  // ran on Node.js's own pool
  uint64_t jobs = 0;        // ran in OpenSSL jobs
  uint64_t paused = 0;      // in jobs that paused
  uint64_t pauses = 0;      // of all those jobs
  uint64_t failed = 0;      // ended with an error
  uint64_t abandoned = 0;   // aborted or timed out
  uint64_t refused = 0;     // the queue was full
  uint64_t fallbacks = 0;   // failed where they were placed, and were run again in software
};

// The statistics of one algorithm, for example "sign RSA-2048 sha256".
struct AlgorithmStats {
  explicit AlgorithmStats(std::string algorithm_name) : name(std::move(algorithm_name)) {}

  std::string name;
  OperationCounts counts;
  CostBySize cost;
  // Durations in nanoseconds.
  Histogram queue_time;  // called → began
  Histogram run_time;    // began → ended
  Histogram total_time;  // called → its result was ready to be told
};

// The statistics of one backend: a provider, or whatever else was chosen to do the work.
struct BackendStats {
  explicit BackendStats(std::string backend_name) : name(std::move(backend_name)) {}

  std::string name;
  uint64_t operations = 0;  // have ended there
  uint64_t paused = 0;      // in jobs that paused, which proves that somebody else did the work
  uint64_t pauses = 0;
  WakeupCounts wakeups;  // the events that ended the pauses
  uint64_t failed = 0;
  uint64_t polls = 0;          // how often the device was made to look for responses
  uint64_t empty_polls = 0;    // looks that found none
  uint64_t fallbacks = 0;      // failed there, and were run again in software
  uint64_t not_offloaded = 0;  // may pause and did not, fell back, or passed it over
  uint64_t in_flight = 0;
  uint64_t asym_in_flight = 0;
  Histogram total_time;  // in nanoseconds, called → its result was ready to be told

  WaitMode wait_mode = WaitMode::kAuto;
  bool stops_polling = false;  // once nothing is in flight
};

}  // namespace openssl_async
