// JavaScript's wait contexts, and the news of their callbacks.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "binding/attachment.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

class Environment;
class WaitContexts;

class WaitContextHandle final : private CallbackObserver {
 public:
  WaitContextHandle(std::shared_ptr<Environment> environment, std::unique_ptr<WaitPoint> wait_point);
  ~WaitContextHandle();
  WaitContextHandle(const WaitContextHandle&) = delete;
  WaitContextHandle& operator=(const WaitContextHandle&) = delete;

  WaitPoint* wait_point() const { return wait_point_.get(); }
  bool busy() const {
    return wait_point_ != nullptr && !wait_point_->abandoned() && wait_point_->context().job() != nullptr;
  }
  std::vector<FdCleanup> Close();
  // `id` is JavaScript's name for the context.
  void Observe(uint32_t id);
  void StopObserving();

 private:
  void OnCallback() override;

  std::shared_ptr<Environment> environment_;
  std::unique_ptr<WaitPoint> wait_point_;
  uint32_t id_ = 0;
};

class WaitContexts final : public Attachment, private DeliveryTarget {
 public:
  explicit WaitContexts(Environment& environment);
  WaitContexts(const WaitContexts&) = delete;
  WaitContexts& operator=(const WaitContexts&) = delete;

  // `on_callbacks(ids)` is told which wait contexts were called back.
  void SetSink(Napi::Function on_callbacks) { on_callbacks_ = Napi::Weak(on_callbacks); }
  // The ids that were not told yet.
  std::vector<uint32_t> TakeCallbacks() { return std::exchange(callbacks_, {}); }

  // Closes the wait contexts that no job uses.
  void Close(std::function<void()> done) override;
  bool IsIdle() const override { return callbacks_.empty(); }

 private:
  friend class WaitContextHandle;

  void OnDelivery() override;
  void Tell();

  Environment& environment_;
  std::unordered_set<WaitContextHandle*> handles_;
  std::vector<uint32_t> callbacks_;
  Napi::FunctionReference on_callbacks_;
};

}  // namespace openssl_async
