#include "placement/device_pollers.h"

#include <algorithm>
#include <string>
#include <utility>

namespace openssl_async {

Result<void> DevicePollers::Start(BackendStats& backend, const PollingOptions& options, PollDevice poll) {
  int error = 0;
  std::unique_ptr<DevicePoller> poller =
      DevicePoller::Create(loop_, open_, scheduler_, backend, options, std::move(poll), &error);
  if (!poller) return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}};
  Remove(backend);
  backend.stops_polling = false;
  pollers_.push_back(std::move(poller));
  pollers_.back()->OnInFlightChanged();
  scheduler_.ObserveTurns(this);
  return {};
}

void DevicePollers::Stop(BackendStats& backend) {
  backend.stops_polling = true;
  OnInFlightChanged(backend);
}

void DevicePollers::OnInFlightChanged(BackendStats& backend) {
  if (pollers_.empty()) return;
  for (const std::unique_ptr<DevicePoller>& poller : pollers_) {
    if (&poller->backend() == &backend) poller->OnInFlightChanged();
  }
  if (backend.stops_polling && backend.in_flight == 0) Remove(backend);
}

void DevicePollers::OnTurnEnd(bool all_wait) {
  for (const std::unique_ptr<DevicePoller>& poller : pollers_) poller->OnTurnEnd(all_wait);
}

void DevicePollers::Remove(const BackendStats& backend) {
  const auto is_its = [&](const std::unique_ptr<DevicePoller>& poller) { return &poller->backend() == &backend; };
  pollers_.erase(std::remove_if(pollers_.begin(), pollers_.end(), is_its), pollers_.end());
  if (pollers_.empty()) scheduler_.ObserveTurns(nullptr);
}

void DevicePollers::Clear() {
  pollers_.clear();
  scheduler_.ObserveTurns(nullptr);
}

}  // namespace openssl_async
