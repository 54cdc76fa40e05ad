/* Wait fds that no event loop can wait for. */
#include <fcntl.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arguments.h"
#include "functions.h"
#include "notify.h"

static const char kUselessKey;

static int pause_with_fd(OSSL_ASYNC_FD fd, int32_t times) {
  ASYNC_WAIT_CTX* context = current_wait_context();
  if (context == NULL || !ASYNC_WAIT_CTX_set_wait_fd(context, &kUselessKey, fd, NULL, NULL)) return 0;
  while (times-- > 0) ASYNC_pause_job();
  return ASYNC_WAIT_CTX_clear_fd(context, &kUselessKey);
}

/* A number that was never open and, far from the lowest free one, will not be. */
static int closed_fd(void) {
  struct rlimit limit;
  int highest = 1 << 16;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)highest) highest = (int)limit.rlim_cur;
  while (--highest > 0 && fcntl(highest, F_GETFD) != -1) continue;
  return highest;
}

int wait_on_closed_fd(void* args) {
  int32_t times = integer_argument(args, 1);
  return times < 0 ? -1 : pause_with_fd(closed_fd(), times);
}

int wait_on_regular_file(void* args) {
  int32_t times = integer_argument(args, 1);
  FILE* file;
  int result;
  if (times < 0) return -1;
  file = tmpfile();
  if (file == NULL) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "the test device cannot make a temporary file");
    return 0;
  }
  result = pause_with_fd(fileno(file), times);
  fclose(file);
  return result;
}
