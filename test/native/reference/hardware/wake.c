#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

struct wake {
  int read_fd;
  int write_fd; /* of an eventfd: the same */
  bool event_fd;
};

/* The key of our fd in a wait context: an address that nobody else has. */
static const char kKey;

static bool open_pipe(struct wake* wake) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  for (int i = 0; i < 2; ++i) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  wake->read_fd = ends[0];
  wake->write_fd = ends[1];
  return true;
}

static bool open_event_fd(struct wake* wake) {
#ifdef __linux__
  wake->read_fd = wake->write_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return wake->read_fd >= 0;
#else
  return open_pipe(wake);
#endif
}

static void wake_free(struct wake* wake) {
  close(wake->read_fd);
  if (wake->write_fd != wake->read_fd) close(wake->write_fd);
  free(wake);
}

/* The context calls this when it is freed, which may be after the engine was: the module must stay loaded. */
static void on_context_freed(ASYNC_WAIT_CTX* context, const void* key, OSSL_ASYNC_FD fd, void* wake) {
  (void)context;
  (void)key;
  (void)fd;
  wake_free(wake);
}

static struct wake* attach_new(ASYNC_WAIT_CTX* context, bool event_fd) {
  struct wake* wake = calloc(1, sizeof(*wake));
  if (wake == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return NULL;
  }
  wake->event_fd = event_fd;
  if (!(event_fd ? open_event_fd(wake) : open_pipe(wake))) {
    ERR_raise_data(ERR_LIB_SYS, errno, "the reference hardware cannot open a wait fd");
    free(wake);
    return NULL;
  }
  if (ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, wake->read_fd, wake, on_context_freed)) return wake;
  wake_free(wake);
  return NULL;
}

struct wake* wake_of(ASYNC_WAIT_CTX* context, bool event_fd) {
  OSSL_ASYNC_FD fd;
  void* custom = NULL;
  if (ASYNC_WAIT_CTX_get_fd(context, &kKey, &fd, &custom)) {
    struct wake* kept = custom;
    if (kept->event_fd == event_fd) return kept;
    ASYNC_WAIT_CTX_clear_fd(context, &kKey); /* the mode was changed; this does not call the clean-up routine */
    wake_free(kept);
  }
  return attach_new(context, event_fd);
}

void wake_signal(const struct wake* wake) {
  static const uint64_t kOne = 1;
  while (write(wake->write_fd, &kOne, sizeof(kOne)) < 0 && errno == EINTR) {
  } /* EAGAIN: full, so it is readable already */
}

void wake_drain(const struct wake* wake) {
  uint64_t buffer[8];
  ssize_t got;
  do {
    got = read(wake->read_fd, buffer, sizeof(buffer));
  } while (got > 0 || (got < 0 && errno == EINTR));
}
