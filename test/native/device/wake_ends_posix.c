#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "wake_ends.h"

static int open_pipe(struct wake_ends* ends) {
  int fds[2];
  if (pipe(fds) != 0) return errno;
  for (int i = 0; i < 2; ++i) {
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
  }
  ends->read = fds[0];
  ends->write = fds[1];
  return 0;
}

int wake_ends_open(struct wake_ends* ends, bool as_pipe) {
#ifdef __linux__
  if (!as_pipe) {
    ends->read = ends->write = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return ends->read >= 0 ? 0 : errno;
  }
#else
  (void)as_pipe;
#endif
  return open_pipe(ends);
}

void wake_ends_close(struct wake_ends* ends) {
  close(ends->read);
  if (ends->write != ends->read) close(ends->write);
}

void wake_ends_signal(const struct wake_ends* ends) {
  static const uint64_t kOne = 1;
  while (write(ends->write, &kOne, sizeof(kOne)) < 0 && errno == EINTR) {
  } /* EAGAIN: full, so it is readable already */
}

void wake_ends_drain(const struct wake_ends* ends) {
  uint64_t buffer[8];
  ssize_t got;
  do {
    got = read(ends->read, buffer, sizeof(buffer));
  } while (got > 0 || (got < 0 && errno == EINTR));
}
