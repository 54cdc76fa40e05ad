// A wait context together with everything that may wake its job: the callback and the watched fds.
#pragma once

#include <memory>
#include <vector>

#include "job/wait_context.h"
#include "wakeup/callback_queue.h"
#include "wakeup/contract.h"
#include "wakeup/poll_table.h"
#include "wakeup/wake_target.h"

namespace openssl_async {

// Is told of every callback, as the waiter is; see WakeTarget for the thread and the stack.
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

  // The event that a paused job offers to wait for.
  enum class Offer {
    kReady,        // called back already: nothing to wait for
    kCallback,     // will call back
    kFd,           // its fds are watched; a callback counts too
    kNothing,      // try again later; a callback counts too
    kUnwatchable,  // its fds cannot be watched: as kNothing, and watch_error() says why
  };

  // From here to Detach(), the wait context wakes `waiter`, and carries our callback if `mode` wants one. An earlier
  // waiter is woken.
  void Attach(WakeTarget* waiter, WaitMode mode = WaitMode::kAuto);
  // The same for a job that is paused already: earlier callbacks and the engine's status still hold.
  void AttachPaused(WakeTarget* waiter);
  // `keep_callback` leaves the callback set, for a context that is attached again and not shown to anybody else.
  void Detach(bool keep_callback);

  // For a job that its application resumes by itself: waits once for the offers of the job's last pause, until
  // StopAwaitingOnce() lets go of the fds. Wakes as AwaitWake() does; kReady leaves nobody waiting.
  Offer AwaitOnce(WakeTarget* waiter);
  void StopAwaitingOnce();
  bool awaited_once() const { return waiter_ != nullptr && once_; }
  // Call it when the application starts or resumes its job.
  void ForgetCallbacks() { called_back_ = false; }

  // Sets the application's own callback. The wait context carries it even while nobody is attached, so that engines see
  // one.
  void Observe(CallbackObserver* observer);

  // Call it after each pause of the attached waiter's job. The waiter is woken once, unless the offer is kReady.
  Offer AwaitWake();
  const Error& watch_error() const { return watch_error_; }
  // Call it when the waiter goes on for another reason.
  void StopAwaiting() { awaiting_ = false; }
  bool awaiting() const { return awaiting_; }
  bool awaiting_fds() const { return awaiting_ && awaiting_fds_; }

  // Call them after an internal pause and after the job's end. They let go of fds that the job gave up, because the
  // fds' numbers may come back as other files.
  void NoteHandOver();
  void NoteEnd() {
    if (context_->HasChangedFds()) DropRemovedFds();
  }

  // Unwatches everything and frees the wait context.
  std::vector<FdCleanup> Close();

  // For a job that outlives its environment. Its engine may still use the wait context and the callback, so neither is
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
  bool ArmWatches();
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
