// Signals, which examples hand to jobs as fds.
#include <memory>
#include <utility>

#include "binding/convert.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "wakeup/wait_signal.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Napi::Value CreateSignal(Info info) {
  Result<std::unique_ptr<WaitSignal>> created = WaitSignal::Create();
  if (!created.ok()) return ToJs(info.Env(), created.error());
  // Closed by close(), or with the external.
  return NewHandle<SignalHandle>(info.Env(), std::move(created.value()));
}

Napi::Value SignalFd(Info info) {
  return Napi::Number::New(info.Env(), WaitFdToNumber(ToObject<SignalHandle>(info[0]).fd()));
}

Napi::Value WakeSignal(Info info) {
  ToObject<SignalHandle>(info[0]).Wake();
  return info.Env().Undefined();
}

Napi::Value ClearSignal(Info info) { return Napi::Boolean::New(info.Env(), ToObject<SignalHandle>(info[0]).Clear()); }

Napi::Value CloseSignal(Info info) {
  ToHandle<SignalHandle>(info[0]).reset();
  return info.Env().Undefined();
}

}  // namespace

void AddSignalExports(Exports& addon) {
  Exports signals = addon.Subject("signals");
  signals.Add("create", &CreateSignal);
  signals.Add("fd", &SignalFd);
  signals.Add("wake", &WakeSignal);
  signals.Add("clear", &ClearSignal);
  signals.Add("close", &CloseSignal);
}

}  // namespace openssl_async
