// An ASYNC_WAIT_CTX (see ASYNC_WAIT_CTX_new(3)): through it, one job at a time tells the application how to wait.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "openssl/pointers.h"

namespace openssl_async {

class Job;

struct FdChanges {
  std::vector<WaitFd> added;
  std::vector<WaitFd> removed;
};

// A wait fd whose association ended with the wait context: OpenSSL asked for its clean-up.
struct FdCleanup {
  uintptr_t key;
  WaitFd fd;
};

class WaitContext {
 public:
  static Result<WaitContext*> Create();  // the caller owns it
  WaitContext(const WaitContext&) = delete;
  WaitContext& operator=(const WaitContext&) = delete;
  ~WaitContext();

  ASYNC_WAIT_CTX* get() const { return context_.get(); }

  // The job that is running or paused with this context. It must be null when the context is closed.
  Job* job() const { return job_; }
  void set_job(Job* job) { job_ = job; }

  // Frees the ASYNC_WAIT_CTX, which calls its fds' clean-up routines. Fds that were set through SetFd() are returned,
  // for their owner to clean up. The caller makes sure that no job lives.
  std::vector<FdCleanup> Close();
  bool closed() const { return context_ == nullptr; }

  std::vector<WaitFd> Fds() const;
  bool HasFds() const;

  // Changes since the pause before the last one that the caller saw, as ASYNC_WAIT_CTX_get_changed_fds(3) gives them.
  // Internal pauses (see command_program.h) do not count: NoteInternalPause() carries their changes over.
  FdChanges ChangedFds() const;
  bool HasChangedFds() const;
  void NoteInternalPause();
  void ForgetInternalPauses() { carried_.added.clear(), carried_.removed.clear(); }

  int status() const { return ASYNC_WAIT_CTX_get_status(context_.get()); }
  void set_status(int status) { ASYNC_WAIT_CTX_set_status(context_.get(), status); }
  void SetCallback(ASYNC_callback_fn callback, void* argument) {
    ASYNC_WAIT_CTX_set_callback(context_.get(), callback, argument);
  }

  // For job functions written as commands; `key` is any number that their author keeps unique in this context.
  bool SetFd(uintptr_t key, WaitFd fd, bool wants_cleanup);
  bool GetFd(uintptr_t key, WaitFd* fd) const;
  bool ClearFd(uintptr_t key);

 private:
  WaitContext() = default;
  static void OnCleanup(ASYNC_WAIT_CTX* context, const void* key, WaitFd fd, void* self);
  FdChanges CurrentChanges() const;

  Job* job_ = nullptr;
  FdChanges carried_;
  std::vector<FdCleanup> cleanups_;
  WaitCtxPointer context_;  // destroyed first: its clean-up routines use the members before it
};

}  // namespace openssl_async
