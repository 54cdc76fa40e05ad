// The exports that keys and operations need.
#pragma once

#include <napi.h>

#include "placement/device_poller.h"

namespace openssl_async {

class Exports;

// Three arguments from `first` on: interval in milliseconds, threshold of asymmetric operations, threshold of others.
PollingOptions ToPollingOptions(const Napi::CallbackInfo& info, size_t first);

void AddOperationExports(Exports& exports);

// Lets go of what operations keep of engines and providers: fds in this environment's wait contexts, idle contexts.
void ForgetDevices(const Napi::CallbackInfo& info);

}  // namespace openssl_async
