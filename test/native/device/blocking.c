/* ASYNC_block_pause(), left on and noticed. */
#include <openssl/async.h>

#include "arguments.h"
#include "functions.h"
#include "notify.h"
#include "wake_fd.h"

static const char kProbeKey;

int leave_blocked(void* args) {
  int32_t times = integer_argument(args, 1);
  if (times < 0) return -1;
  while (times-- > 0) ASYNC_block_pause();
  return 1;
}

static int has_added_fds(ASYNC_WAIT_CTX* context) {
  size_t added = 0;
  size_t removed = 0;
  return ASYNC_WAIT_CTX_get_changed_fds(context, NULL, &added, NULL, &removed) && added > 0;
}

/*
 * A pause returns 1 whether it happened or not. OpenSSL shows a difference in one way: when a job comes back from a
 * pause that happened, the wait context's changed fds begin anew, and an fd that was set just before is no longer an
 * added one.
 */
int was_blocked(void* args) {
  struct self_wake self;
  struct wake_fd* probe = NULL;
  int blocked = -1;
  (void)args;
  if (!self_wake_begin(&self)) return -1;
  probe = wake_fd_create();
  if (probe != NULL) {
    wake_fd_signal(probe);
    if (wake_fd_attach(probe, self.context, &kProbeKey)) {
      if (ASYNC_pause_job()) blocked = has_added_fds(self.context);
      wake_fd_detach(probe, self.context, &kProbeKey);
    }
  }
  self_wake_end(&self);
  return blocked;
}
