#include "binding/wait_contexts.h"

#include <memory>
#include <utility>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// A wait context that is not closed.
WaitContextHandle& ToOpenContext(Napi::Value value) {
  auto& context = ToHandle<WaitContextHandle>(value);
  if (context.wait_point() == nullptr) ThrowWrongHandle(value.Env(), HandleType<WaitContextHandle>::kName);
  return context;
}

WaitPoint& WaitPointOf(Napi::Value value) { return *ToOpenContext(value).wait_point(); }

Napi::Value CreateWaitContext(Info info) {
  Environment& environment = Environment::From(info);
  Result<std::unique_ptr<WaitPoint>> created = environment.scheduler()->CreateWaitPoint();
  if (!created.ok()) return ToJs(info.Env(), created.error());
  return NewHandle<WaitContextHandle>(info.Env(), environment.shared_from_this(), std::move(created.value()));
}

// [key, fd, key, fd, …] of the fds whose clean-up is due; undefined while a job lives.
Napi::Value CloseWaitContext(Info info) {
  WaitContextHandle& context = ToHandle<WaitContextHandle>(info[0]);
  if (context.busy()) return info.Env().Undefined();
  const std::vector<FdCleanup> cleanups = context.Close();
  Napi::Array array = Napi::Array::New(info.Env(), cleanups.size() * 2);
  for (size_t i = 0; i < cleanups.size(); ++i) {
    array.Set(static_cast<uint32_t>(2 * i), static_cast<double>(cleanups[i].key));
    array.Set(static_cast<uint32_t>(2 * i + 1), WaitFdToNumber(cleanups[i].fd));
  }
  return array;
}

Napi::Value WaitContextFds(Info info) { return ToJs(info.Env(), WaitPointOf(info[0]).context().Fds()); }

Napi::Value WaitContextChangedFds(Info info) {
  const FdChanges changes = WaitPointOf(info[0]).context().ChangedFds();
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, ToJs(info.Env(), changes.added));
  both.Set(1U, ToJs(info.Env(), changes.removed));
  return both;
}

Napi::Value WaitContextStatus(Info info) {
  return Napi::Number::New(info.Env(), WaitPointOf(info[0]).context().status());
}

Napi::Value SetWaitContextStatus(Info info) {
  WaitPointOf(info[0]).context().set_status(ToInt32(info[1]));
  return info.Env().Undefined();
}

Napi::Value ObserveCallbacks(Info info) {
  ToOpenContext(info[0]).Observe(ToUint32(info[1]));
  return info.Env().Undefined();
}

Napi::Value StopObservingCallbacks(Info info) {
  ToOpenContext(info[0]).StopObserving();
  return info.Env().Undefined();
}

Napi::Value TakeCallbacks(Info info) {
  return ToArray(info.Env(), Environment::From(info).wait_contexts().TakeCallbacks(), [](uint32_t id) { return id; });
}

Napi::Value Await(Info info) {
  Environment& environment = Environment::From(info);
  const Result<void> awaited = environment.jobs().Await(WaitPointOf(info[0]), ToUint32(info[1]));
  if (awaited.ok()) environment.ExpectEvents();
  return ToJs(info.Env(), awaited);
}

Napi::Value CancelAwait(Info info) {
  Environment& environment = Environment::From(info);
  environment.jobs().CancelAwait(ToUint32(info[0]));
  environment.MayBeIdle();
  return info.Env().Undefined();
}

Napi::Value CheckFd(Info info) { return ToJs(info.Env(), CheckWaitFd(WaitFdFromNumber(ToInt32(info[0])))); }

}  // namespace

// --- WaitContextHandle

WaitContextHandle::WaitContextHandle(std::shared_ptr<Environment> environment, std::unique_ptr<WaitPoint> wait_point)
    : environment_(std::move(environment)), wait_point_(std::move(wait_point)) {
  environment_->wait_contexts().handles_.insert(this);
}

WaitContextHandle::~WaitContextHandle() {
  environment_->wait_contexts().handles_.erase(this);
  if (busy()) wait_point_->Abandon();  // JavaScript keeps a living job's context, so this is the environment's end
}

std::vector<FdCleanup> WaitContextHandle::Close() {
  std::vector<FdCleanup> cleanups;
  if (wait_point_ != nullptr) cleanups = wait_point_->Close();
  wait_point_.reset();
  return cleanups;
}

void WaitContextHandle::Observe(uint32_t id) {
  id_ = id;
  wait_point_->Observe(this);
}

void WaitContextHandle::StopObserving() { wait_point_->Observe(nullptr); }

void WaitContextHandle::OnCallback() {
  WaitContexts& contexts = environment_->wait_contexts();
  contexts.callbacks_.push_back(id_);
  environment_->scheduler()->RequestDelivery(contexts);
}

// --- WaitContexts

WaitContexts::WaitContexts(Environment& environment) : environment_(environment) {
  environment_.scheduler()->AddTarget(*this);
}

void WaitContexts::OnDelivery() {
  environment_.TellJavaScript([this] { Tell(); });
  environment_.MayBeIdle();
}

void WaitContexts::Tell() {
  const std::vector<uint32_t> ids = TakeCallbacks();
  if (ids.empty() || on_callbacks_.Value().IsEmpty()) return;
  environment_.Call(on_callbacks_, ToArray(environment_.env(), ids, [](uint32_t id) { return id; }));
}

void WaitContexts::Close(std::function<void()> done) {
  for (WaitContextHandle* handle : handles_) {
    if (!handle->busy()) handle->Close();
  }
  done();
}

// --- Exports

void AddWaitContextExports(Exports& addon) {
  Exports wait_contexts = addon.Subject("waitContexts");
  wait_contexts.Add("create", &CreateWaitContext);
  wait_contexts.Add("close", &CloseWaitContext);
  wait_contexts.Add("fds", &WaitContextFds);
  wait_contexts.Add("changedFds", &WaitContextChangedFds);
  wait_contexts.Add("status", &WaitContextStatus);
  wait_contexts.Add("setStatus", &SetWaitContextStatus);
  wait_contexts.Add("observe", &ObserveCallbacks);
  wait_contexts.Add("stopObserving", &StopObservingCallbacks);
  wait_contexts.Add("takeCallbacks", &TakeCallbacks);
  wait_contexts.Add("await", &Await);
  wait_contexts.Add("cancelAwait", &CancelAwait);
  wait_contexts.Add("checkFd", &CheckFd);
}

}  // namespace openssl_async
