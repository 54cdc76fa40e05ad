#include "scheduler/manual_wait.h"

#include "scheduler/scheduler.h"

namespace openssl_async {

ManualWait::ManualWait(Scheduler& scheduler, WaitPoint& wait_point, JobOwner& owner, JobId id)
    : scheduler_(scheduler), wait_point_(wait_point), owner_(owner), id_(id) {
  backoff_.target = this;
  scheduler_.Want();
}

ManualWait::~ManualWait() {
  scheduler_.backoff_->Cancel(backoff_);
  if (wait_point_.awaited_once()) wait_point_.StopAwaitingOnce();
  scheduler_.Unwant();
}

Result<void> ManualWait::Start() {
  switch (wait_point_.AwaitOnce(this)) {
    case WaitPoint::Offer::kReady:
      OnWake(WakeKind::kCallback);
      break;
    case WaitPoint::Offer::kNothing:
      scheduler_.backoff_->Schedule(backoff_, 0);
      break;
    case WaitPoint::Offer::kUnwatchable:
      return wait_point_.watch_error();
    case WaitPoint::Offer::kCallback:
    case WaitPoint::Offer::kFd:
      break;
  }
  return {};
}

bool ManualWait::OnWake(WakeKind kind) {
  if (done_) return false;
  done_ = true;
  owner_.OnAwaited(id_, kind);
  scheduler_.RequestDelivery(owner_);
  return true;
}

}  // namespace openssl_async
