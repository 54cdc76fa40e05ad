#include "placement/device_pollers.h"

#include <algorithm>
#include <string>
#include <utility>

namespace openssl_async {

Result<void> DevicePollers::Start(HolderFigures& holder, const PollingOptions& options, PollDevice poll) {
  int error = 0;
  std::unique_ptr<DevicePoller> poller =
      DevicePoller::Create(loop_, open_, scheduler_, holder, options, std::move(poll), &error);
  if (!poller) return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}};
  Remove(holder);
  holder.stops_polling = false;
  pollers_.push_back(std::move(poller));
  pollers_.back()->OnInFlightChanged();
  scheduler_.ObserveTurns(this);
  return {};
}

void DevicePollers::Stop(HolderFigures& holder) {
  holder.stops_polling = true;
  OnInFlightChanged(holder);
}

void DevicePollers::OnInFlightChanged(HolderFigures& holder) {
  if (pollers_.empty()) return;
  for (const std::unique_ptr<DevicePoller>& poller : pollers_) {
    if (&poller->holder() == &holder) poller->OnInFlightChanged();
  }
  if (holder.stops_polling && holder.in_flight == 0) Remove(holder);
}

void DevicePollers::OnTurnEnd(bool all_wait) {
  for (const std::unique_ptr<DevicePoller>& poller : pollers_) poller->OnTurnEnd(all_wait);
}

void DevicePollers::Remove(const HolderFigures& holder) {
  const auto is_its = [&](const std::unique_ptr<DevicePoller>& poller) { return &poller->holder() == &holder; };
  pollers_.erase(std::remove_if(pollers_.begin(), pollers_.end(), is_its), pollers_.end());
  if (pollers_.empty()) scheduler_.ObserveTurns(nullptr);
}

void DevicePollers::Clear() {
  pollers_.clear();
  scheduler_.ObserveTurns(nullptr);
}

}  // namespace openssl_async
