#include "binding/devices.h"

#include "base/cache.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// (backend, WaitMode)
Napi::Value SetWaitMode(Info info) {
  const auto mode = static_cast<WaitMode>(ToInt32(info[1]));
  Environment::From(info).operations().SetWaitMode(ToText(info[0]), mode);
  return info.Env().Undefined();
}

// (id): false when there is nothing to wait for.
Napi::Value AwaitEnds(Info info) {
  const JobId id = ToUint32(info[0]);
  Environment& environment = Environment::From(info);
  const bool awaited = environment.operations().AwaitEnds(id);
  if (awaited) environment.ExpectEvents();
  return Napi::Boolean::New(info.Env(), awaited);
}

Napi::Value StopPolling(Info info) {
  Environment::From(info).operations().StopPolling(ToText(info[0]));
  return info.Env().Undefined();
}

}  // namespace

void ForgetDevices(Info info) {
  Environment::From(info).scheduler()->ForgetWaitFds();
  Cache::ForgetAll();
}

PollingOptions ToPollingOptions(Info info, size_t first) {
  return {ToUint32(info[first]), ToUint32(info[first + 1]), ToUint32(info[first + 2])};
}

void AddDeviceExports(Exports& addon) {
  Exports devices = addon.Subject("devices");
  devices.Add("setWaitMode", &SetWaitMode);
  devices.Add("stopPolling", &StopPolling);
  devices.Add("awaitEnds", &AwaitEnds);
}

}  // namespace openssl_async
