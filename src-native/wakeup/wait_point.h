// A wait context together with everything that may wake its job: the callback, the watched fds.
#pragma once

#include <memory>
#include <vector>

#include "job/wait_context.h"
#include "wakeup/callback_queue.h"
#include "wakeup/contract.h"
#include "wakeup/poll_table.h"
#include "wakeup/wake_target.h"

namespace openssl_async {

// Is told of every callback, besides the waiter; see WakeTarget for where.
class CallbackObserver {
 public:
  virtual void OnCallback() = 0;

 protected:
  ~CallbackObserver() = default;
};

class WaitPoint final : private WakeTarget {
 public:
  static Result<std::unique_ptr<WaitPoint>> Create(CallbackQueue& callbacks, PollTable& polls);
  ~WaitPoint();
  WaitPoint(const WaitPoint&) = delete;
  WaitPoint& operator=(const WaitPoint&) = delete;

  WaitContext& context() { return *context_; }

  // What a paused job offers to wait for.
  enum class Offer {
    kReady,        // called back already: nothing to wait for
    kCallback,     // will call back
    kFd,           // its fds are watched; a callback counts too
    kNothing,      // try again later; a callback counts too
    kUnwatchable,  // its fds cannot be watched: as kNothing, and `error` says why
  };

  // From here to Detach(), the wait context carries our callback and wakes `waiter`.
  // A waiter that was there before is woken.
  void Attach(WakeTarget* waiter, WaitMode mode = WaitMode::kAuto);
  // The same for a job that is paused already: what it was told by callbacks, and what its engine said, still hold.
  void AttachPaused(WakeTarget* waiter);
  // `keep_callback` leaves the callback in place, for a context that is attached again and not shown to anybody else.
  void Detach(bool keep_callback);

  // For a job that its application resumes by itself: waits once for what the job's last pause left, then lets go of
  // the fds. Wakes as AwaitWake() does; kReady leaves nobody waiting.
  Offer AwaitOnce(WakeTarget* waiter);
  void StopAwaitingOnce();
  bool awaited_once() const { return waiter_ != nullptr && once_; }
  // The application starts or resumes its job.
  void ForgetCallbacks() { called_back_ = false; }

  // The application's own callback: it is carried also while nobody is attached, so that engines see one.
  void Observe(CallbackObserver* observer);

  // To be called after each pause of the attached waiter's job. The waiter is woken once, unless the offer is kReady.
  Offer AwaitWake();
  const Error& watch_error() const { return watch_error_; }
  // The waiter found another reason to go on.
  void StopAwaiting() { awaiting_ = false; }
  bool awaiting() const { return awaiting_; }
  bool awaiting_fds() const { return awaiting_ && awaiting_fds_; }

  // After a pause that is not one of the job's own, and after its end: lets go of fds that the job gave up, because
  // their numbers may come back as something else.
  void NoteHandOver();
  void NoteEnd() {
    if (context_->HasChangedFds()) DropRemovedFds();
  }

  // Unwatches everything and frees the wait context.
  std::vector<FdCleanup> Close();

  // The environment ends and the job has not: its engine may still use the wait context and the callback, so neither is
  // ever freed. Nothing reaches the waiter any more.
  void Abandon();
  bool abandoned() const { return context_ == nullptr; }

 private:
  WaitPoint(std::unique_ptr<WaitContext> context, CallbackQueue& callbacks, PollTable& polls);
  bool OnWake(WakeKind kind) override;
  void SetWaiter(WakeTarget* waiter, WaitMode mode);
  void CarryCallback(bool carry);
  bool SyncWatches();
  bool Watch(WaitFd fd);
  void DropRemovedFds();
  void Unwatch(WaitFd fd);
  void UnwatchAll();

  CallbackQueue& callbacks_;
  PollTable& polls_;
  CallbackTarget* target_;
  WakeTarget* waiter_ = nullptr;
  CallbackObserver* observer_ = nullptr;
  Error watch_error_;
  WaitMode mode_ = WaitMode::kAuto;
  bool carries_callback_ = false;
  bool once_ = false;
  bool awaiting_ = false;
  bool awaiting_fds_ = false;
  bool called_back_ = false;  // since the last wait ended
  bool watches_stale_ = true;
  std::vector<std::unique_ptr<FdWatch>> watches_;
  std::unique_ptr<WaitContext> context_;
};

}  // namespace openssl_async
