// Devices: how they are polled, and how operations wait for them.
#pragma once

#include <napi.h>

#include "placement/device_poller.h"

namespace openssl_async {

// Three arguments from `first` on: interval in milliseconds, threshold of asymmetric operations, threshold of others.
PollingOptions ToPollingOptions(const Napi::CallbackInfo& info, size_t first);

// Drops the objects of engines and providers that operations keep: fds in this environment's wait contexts, and idle
// contexts.
void ForgetDevices(const Napi::CallbackInfo& info);

}  // namespace openssl_async
