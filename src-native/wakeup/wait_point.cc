#include "wakeup/wait_point.h"

#include <algorithm>

#include "wakeup/wait_fd.h"

namespace openssl_async {

namespace {

// A status of our own: "the engine has set none". OpenSSL accepts any number.
constexpr int kUnsaid = -1;

}  // namespace

Result<std::unique_ptr<WaitPoint>> WaitPoint::Create(CallbackQueue& callbacks, PollTable& polls) {
  Result<WaitContext*> context = WaitContext::Create();
  if (!context.ok()) return context.error();
  std::unique_ptr<WaitContext> owned(context.value());
  return std::unique_ptr<WaitPoint>(new WaitPoint(std::move(owned), callbacks, polls));
}

WaitPoint::WaitPoint(std::unique_ptr<WaitContext> context, CallbackQueue& callbacks, PollTable& polls)
    : callbacks_(callbacks), polls_(polls), target_(callbacks.AcquireTarget()), context_(std::move(context)) {}

WaitPoint::~WaitPoint() {
  if (context_ != nullptr) Close();
}

void WaitPoint::Attach(WakeTarget* waiter, WaitMode mode) {
  SetWaiter(waiter, mode);
  called_back_ = false;
  target_->Listen(this);
  // An earlier job's engine may have left a status behind, which says nothing about this job.
  context_->set_status(mode == WaitMode::kCallback ? kUnsaid : ASYNC_STATUS_UNSUPPORTED);
}

void WaitPoint::AttachPaused(WakeTarget* waiter) {
  const bool is_heard = observer_ != nullptr;
  SetWaiter(waiter, WaitMode::kAuto);
  watches_stale_ = true;  // pauses that nobody waited for may have changed the fds unseen
  if (!is_heard) target_->Listen(this);
}

void WaitPoint::SetWaiter(WakeTarget* waiter, WaitMode mode) {
  if (WakeTarget* earlier = waiter_; earlier != nullptr) earlier->OnWake(WakeKind::kPoll);
  waiter_ = waiter;
  mode_ = mode;
  once_ = false;
  awaiting_ = false;
  CarryCallback(mode == WaitMode::kAuto || mode == WaitMode::kCallback || observer_ != nullptr);
}

void WaitPoint::Detach(bool keep_callback) {
  waiter_ = nullptr;
  awaiting_ = false;
  if (!keep_callback) CarryCallback(observer_ != nullptr);
  if (observer_ == nullptr) target_->StopListening();
}

WaitPoint::Offer WaitPoint::AwaitOnce(WakeTarget* waiter) {
  waiter_ = waiter;
  mode_ = WaitMode::kAuto;
  once_ = true;
  watches_stale_ = true;  // pauses that nobody waited for may have changed the fds unseen
  return AwaitWake();
}

void WaitPoint::StopAwaitingOnce() {
  UnwatchAll();
  waiter_ = nullptr;
  awaiting_ = false;
}

void WaitPoint::Observe(CallbackObserver* observer) {
  observer_ = observer;
  CarryCallback(observer != nullptr || waiter_ != nullptr);
  if (waiter_ != nullptr) return;
  if (observer == nullptr) {
    target_->StopListening();
  } else {
    target_->Listen(this);
  }
}

void WaitPoint::CarryCallback(bool carry) {
  if (carry == carries_callback_) return;
  carries_callback_ = carry;
  context_->SetCallback(carry ? &CallbackTarget::Notify : nullptr, carry ? target_ : nullptr);
}

WaitPoint::Offer WaitPoint::AwaitWake() {
  if (context_->HasChangedFds()) DropRemovedFds();
  if (called_back_) {
    called_back_ = false;
    return Offer::kReady;
  }
  awaiting_ = true;
  awaiting_fds_ = false;
  const int status = context_->status();
  // An engine that is to be asked again, or that has failed, announces nothing.
  const bool announces = status != ASYNC_STATUS_EAGAIN && status != ASYNC_STATUS_ERR;
  if (!announces || mode_ == WaitMode::kPoll) return Offer::kNothing;
  // An engine that sets no status may call back all the same; its application says so by its mode.
  const bool calls_back = carries_callback_ && (status == ASYNC_STATUS_OK || status == kUnsaid);
  if (mode_ == WaitMode::kCallback && status != kUnsaid) return calls_back ? Offer::kCallback : Offer::kNothing;
  if (!SyncWatches()) return calls_back ? Offer::kCallback : Offer::kUnwatchable;
  const bool armed = ArmWatches();
  awaiting_fds_ = !watches_.empty();
  // Fds count even when a callback is promised: the promise may be an earlier engine's.
  if (calls_back) return Offer::kCallback;
  if (!armed) return Offer::kUnwatchable;
  return awaiting_fds_ ? Offer::kFd : Offer::kNothing;
}

bool WaitPoint::OnWake(WakeKind kind) {
  if (kind == WakeKind::kCallback) {
    if (observer_ != nullptr) observer_->OnCallback();
    if (!awaiting_) {
      called_back_ = true;
      return false;
    }
  } else if (waiter_ == nullptr || !awaiting_) {
    // A woken job that waits for its turn will read the fd. To unwatch and watch the fd costs more than another event.
    return waiter_ != nullptr;
  } else if (!awaiting_fds_) {
    return false;
  }
  awaiting_ = false;
  return waiter_->OnWake(kind);
}

bool WaitPoint::SyncWatches() {
  if (!watches_stale_) return true;
  const std::vector<WaitFd> fds = context_->Fds();
  const auto gone = [&fds](const std::unique_ptr<FdWatch>& watch) {
    return std::find(fds.begin(), fds.end(), watch->fd) == fds.end();
  };
  for (size_t i = watches_.size(); i-- > 0;) {
    if (gone(watches_[i])) Unwatch(watches_[i]->fd);
  }
  for (const WaitFd fd : fds) {
    if (!Watch(fd)) return false;
  }
  watches_stale_ = false;
  return true;
}

bool WaitPoint::Watch(WaitFd fd) {
  for (const std::unique_ptr<FdWatch>& watch : watches_) {
    if (watch->fd == fd) return true;
  }
  auto watch = std::make_unique<FdWatch>();
  watch->fd = fd;
  watch->target = this;
  Result<void> added = polls_.Add(*watch);
  if (!added.ok()) {
    watch_error_ = added.error();
    return false;
  }
  watches_.push_back(std::move(watch));
  return true;
}

// Arms all of them, also when one cannot be armed.
bool WaitPoint::ArmWatches() {
  bool armed = true;
  for (const std::unique_ptr<FdWatch>& watch : watches_) {
    const int error = polls_.Arm(*watch);
    if (error == 0) continue;
    watch_error_ = WaitFdError(watch->fd, error);
    armed = false;
  }
  return armed;
}

void WaitPoint::NoteHandOver() {
  if (context_->HasChangedFds()) DropRemovedFds();
  context_->NoteInternalPause();
}

// Also unwatches added fds: a new fd may have the number of one that was closed without a word.
void WaitPoint::DropRemovedFds() {
  const FdChanges changes = context_->ChangedFds();
  for (const WaitFd fd : changes.removed) Unwatch(fd);
  for (const WaitFd fd : changes.added) Unwatch(fd);
  watches_stale_ = watches_stale_ || !changes.removed.empty() || !changes.added.empty();
}

void WaitPoint::Unwatch(WaitFd fd) {
  for (size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i]->fd != fd) continue;
    polls_.Remove(*watches_[i]);
    watches_.erase(watches_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

void WaitPoint::UnwatchAll() {
  for (const std::unique_ptr<FdWatch>& watch : watches_) polls_.Remove(*watch);
  watches_.clear();
  watches_stale_ = true;
}

std::vector<FdCleanup> WaitPoint::Close() {
  UnwatchAll();  // before the clean-up routines close the fds
  std::vector<FdCleanup> cleanups = context_->Close();
  callbacks_.ReleaseTarget(target_);
  context_.reset();
  return cleanups;
}

void WaitPoint::Abandon() {
  UnwatchAll();
  target_->StopListening();
  waiter_ = nullptr;
  context_.release();  // NOLINT(bugprone-unused-return-value): on purpose, see the header
}

}  // namespace openssl_async
