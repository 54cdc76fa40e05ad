// The devices of one environment that have to be polled while operations are in flight on them.
#pragma once

#include <memory>
#include <vector>

#include "placement/device_poller.h"

namespace openssl_async {

class DevicePollers final : private TurnObserver {
 public:
  DevicePollers(uv_loop_t* loop, OpenHandles& open, Scheduler& scheduler)
      : loop_(loop), open_(open), scheduler_(scheduler) {}

  // Has `poll` called while operations of `backend` are in flight, until Stop() or the next Start().
  Result<void> Start(BackendStats& backend, const PollingOptions& options, PollDevice poll);
  // Takes effect as soon as no operation is in flight.
  void Stop(BackendStats& backend);
  void OnInFlightChanged(BackendStats& backend);
  void Clear();

 private:
  void OnTurnEnd(bool all_wait) override;
  void Remove(const BackendStats& backend);

  uv_loop_t* loop_;
  OpenHandles& open_;
  Scheduler& scheduler_;
  std::vector<std::unique_ptr<DevicePoller>> pollers_;
};

}  // namespace openssl_async
