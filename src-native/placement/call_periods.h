// Knows when the calls that were in flight at some time are over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "scheduler/job_owner.h"

namespace openssl_async {

// A period ends with each call of Await(); the last one goes on.
class CallPeriods {
 public:
  // A call is in flight from now on. Returns the call's period.
  uint64_t Begin() {
    ++periods_.back().in_flight;
    return first_ + periods_.size() - 1;
  }
  void End(uint64_t period) { --periods_[period - first_].in_flight; }

  // TakeEnded() gives this id when all calls that have begun until now are over.
  void Await(JobId id) {
    periods_.back().awaited_by = id;
    periods_.emplace_back();
  }
  bool any_awaited() const { return periods_.size() > 1; }
  bool any_ended() const { return any_awaited() && periods_.front().in_flight == 0; }
  // Nothing once no ended period is left.
  std::optional<JobId> TakeEnded() {
    if (!any_ended()) return std::nullopt;
    const JobId id = periods_.front().awaited_by;
    periods_.pop_front();
    ++first_;
    return id;
  }

 private:
  struct Period {
    size_t in_flight = 0;
    JobId awaited_by = kNoJobId;
  };
  std::deque<Period> periods_ = std::deque<Period>(1);
  uint64_t first_ = 0;
};

}  // namespace openssl_async
