/* Wait fds that no event loop can wait for. */
#include <openssl/async.h>
#include <openssl/err.h>

#include "arguments.h"
#include "functions.h"
#include "notify.h"
#include "useless_fds.h"

static const char kUselessKey;

static int pause_with_fd(OSSL_ASYNC_FD fd, int32_t times) {
  ASYNC_WAIT_CTX* context = current_wait_context();
  if (context == NULL || !ASYNC_WAIT_CTX_set_wait_fd(context, &kUselessKey, fd, NULL, NULL)) return 0;
  while (times-- > 0) ASYNC_pause_job();
  return ASYNC_WAIT_CTX_clear_fd(context, &kUselessKey);
}

int wait_on_closed_fd(void* args) {
  int32_t times = integer_argument(args, 1);
  return times < 0 ? -1 : pause_with_fd(closed_fd(), times);
}

int wait_on_regular_file(void* args) {
  int32_t times = integer_argument(args, 1);
  struct useless_fd useless;
  int result;
  if (times < 0) return -1;
  if (!useless_fd_open(&useless)) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "the test device cannot make a temporary file");
    return 0;
  }
  result = pause_with_fd(useless.fd, times);
  useless_fd_close(&useless);
  return result;
}
