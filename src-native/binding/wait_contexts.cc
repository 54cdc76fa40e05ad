#include "binding/wait_contexts.h"

#include <utility>

#include "binding/environment.h"

namespace openssl_async {

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
  Napi::Array argument = Napi::Array::New(environment_.env(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) argument.Set(static_cast<uint32_t>(i), ids[i]);
  environment_.Call(on_callbacks_, argument);
}

void WaitContexts::Close(std::function<void()> done) {
  for (WaitContextHandle* handle : handles_) {
    if (!handle->busy()) handle->Close();
  }
  done();
}

}  // namespace openssl_async
