// The scheduler's counters. Loop thread only.
#pragma once

#include <cstdint>

#include "scheduler/histogram.h"

namespace openssl_async {

struct WakeupCounts {
  uint32_t fd = 0;
  uint32_t callback = 0;
  uint32_t poll = 0;

  void Add(const WakeupCounts& others) {
    fd += others.fd;
    callback += others.callback;
    poll += others.poll;
  }
};

struct Metrics {
  // Counters.
  uint64_t submitted = 0;
  uint64_t started = 0;
  uint64_t finished = 0;   // ran to their end, whatever they returned
  uint64_t failed = 0;     // OpenSSL reported an error, or an exception got out
  uint64_t cancelled = 0;  // given up while they were queued
  uint64_t abandoned = 0;  // given up while they were live, and driven to their end unheard
  uint64_t pauses = 0;
  uint64_t hand_overs = 0;
  uint64_t no_jobs = 0;        // times that OpenSSL's pool had none
  uint64_t engine_errors = 0;  // pauses with ASYNC_STATUS_ERR
  uint64_t fd_wakeups = 0;
  uint64_t callback_wakeups = 0;
  uint64_t poll_wakeups = 0;
  uint64_t ticks = 0;
  // Durations of jobs, in nanoseconds.
  Histogram queue_time;  // submitted → started
  Histogram run_time;    // started → ended
  Histogram total_time;
};

}  // namespace openssl_async
