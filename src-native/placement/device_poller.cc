#include "placement/device_poller.h"

#include "base/memory.h"

namespace openssl_async {

std::unique_ptr<DevicePoller> DevicePoller::Create(uv_loop_t* loop, OpenHandles& open, const Scheduler& scheduler,
                                                   BackendStats& backend, const PollingOptions& options,
                                                   PollDevice poll, int* error) {
  std::unique_ptr<DevicePoller> poller(new DevicePoller(scheduler, backend, options, std::move(poll)));
  poller->timer_ = OpenHandle<uv_timer_t>(open, poller.get(), error,
                                          [loop](uv_timer_t* timer) { return uv_timer_init(loop, timer); });
  return *error == 0 ? std::move(poller) : nullptr;
}

void DevicePoller::OnInFlightChanged() {
  const bool runs = backend_.in_flight > 0;
  if (runs == is_running_) return;
  is_running_ = runs;
  if (runs) {
    uv_timer_start(
        timer_.get(),
        [](uv_timer_t* timer) { OrDieOfMemory([timer] { static_cast<DevicePoller*>(timer->data)->OnTimer(); }); },
        options_.interval_ms, options_.interval_ms);
  } else {
    uv_timer_stop(timer_.get());
  }
}

void DevicePoller::OnTurnEnd(bool all_wait) {
  if (backend_.in_flight == 0) return;
  const uint32_t threshold = backend_.asym_in_flight > 0 ? options_.asym_threshold : options_.sym_threshold;
  if (!all_wait && backend_.in_flight < threshold) return;
  if (Poll()) has_found_ = true;
}

void DevicePoller::OnTimer() {
  if (!has_found_) Poll();
  has_found_ = false;
}

bool DevicePoller::Poll() {
  ++backend_.polls;
  const size_t waiting = scheduler_.waiting();
  const bool found = poll_() || scheduler_.waiting() != waiting;
  if (!found) ++backend_.empty_polls;
  return found;
}

}  // namespace openssl_async
