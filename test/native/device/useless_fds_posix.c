#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "useless_fds.h"

/* Far from the lowest free number, which the next file gets. */
OSSL_ASYNC_FD closed_fd(void) {
  struct rlimit limit;
  int highest = 1 << 16;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)highest) highest = (int)limit.rlim_cur;
  while (--highest > 0 && fcntl(highest, F_GETFD) != -1) continue;
  return highest;
}

/* A regular file. */
bool useless_fd_open(struct useless_fd* useless) {
  FILE* file = tmpfile();
  if (file == NULL) return false;
  useless->file = file;
  useless->fd = fileno(file);
  return true;
}

void useless_fd_close(struct useless_fd* useless) { fclose(useless->file); }
