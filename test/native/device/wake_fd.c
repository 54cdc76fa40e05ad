#include "wake_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "counters.h"

struct wake_fd {
  atomic_int owners;
  pthread_mutex_t mutex; /* no write while it is being closed */
  bool closed;
  int read_fd;
  int write_fd; /* of an eventfd: the same */
};

static bool open_fds(struct wake_fd* wake) {
#ifdef __linux__
  wake->read_fd = wake->write_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return wake->read_fd >= 0;
#else
  int ends[2];
  if (pipe(ends) != 0) return false;
  for (int i = 0; i < 2; ++i) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  wake->read_fd = ends[0];
  wake->write_fd = ends[1];
  return true;
#endif
}

struct wake_fd* wake_fd_create(void) {
  struct wake_fd* wake = calloc(1, sizeof(*wake));
  if (wake == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return NULL;
  }
  if (!open_fds(wake)) {
    ERR_raise_data(ERR_LIB_SYS, errno, "the test device cannot open a wait fd");
    free(wake);
    return NULL;
  }
  atomic_init(&wake->owners, 1);
  pthread_mutex_init(&wake->mutex, NULL);
  count(&device_counters.fds_opened);
  return wake;
}

struct wake_fd* wake_fd_share(struct wake_fd* wake) {
  atomic_fetch_add_explicit(&wake->owners, 1, memory_order_relaxed);
  return wake;
}

static void close_fds(struct wake_fd* wake) {
  pthread_mutex_lock(&wake->mutex);
  if (!wake->closed) {
    wake->closed = true;
    count(&device_counters.fds_closed);
    close(wake->read_fd);
    if (wake->write_fd != wake->read_fd) close(wake->write_fd);
  }
  pthread_mutex_unlock(&wake->mutex);
}

void wake_fd_release(struct wake_fd* wake) {
  if (atomic_fetch_sub_explicit(&wake->owners, 1, memory_order_acq_rel) != 1) return;
  close_fds(wake);
  pthread_mutex_destroy(&wake->mutex);
  free(wake);
}

void wake_fd_signal(struct wake_fd* wake) {
  static const uint64_t kOne = 1;
  pthread_mutex_lock(&wake->mutex);
  if (!wake->closed) {
    ssize_t written;
    count(&device_counters.wakes_written);
    do {
      written = write(wake->write_fd, &kOne, sizeof(kOne));
    } while (written < 0 && errno == EINTR); /* EAGAIN: full, so it is readable already */
  }
  pthread_mutex_unlock(&wake->mutex);
}

void wake_fd_drain(struct wake_fd* wake) {
  uint64_t buffer[8];
  ssize_t got;
  pthread_mutex_lock(&wake->mutex);
  do {
    got = wake->closed ? 0 : read(wake->read_fd, buffer, sizeof(buffer));
  } while (got > 0 || (got < 0 && errno == EINTR));
  pthread_mutex_unlock(&wake->mutex);
}

static void on_context_freed(ASYNC_WAIT_CTX* context, const void* key, OSSL_ASYNC_FD fd, void* wake) {
  (void)context;
  (void)key;
  (void)fd;
  close_fds(wake);
  wake_fd_release(wake);
}

int wake_fd_attach(struct wake_fd* wake, ASYNC_WAIT_CTX* context, const void* key) {
  if (ASYNC_WAIT_CTX_set_wait_fd(context, key, wake->read_fd, wake, on_context_freed)) return 1;
  wake_fd_release(wake);
  return 0;
}

void wake_fd_detach(struct wake_fd* wake, ASYNC_WAIT_CTX* context, const void* key) {
  ASYNC_WAIT_CTX_clear_fd(context, key); /* which does not call the clean-up routine */
  close_fds(wake);
  wake_fd_release(wake);
}

struct wake_fd* wake_fd_attached(ASYNC_WAIT_CTX* context, const void* key) {
  OSSL_ASYNC_FD fd;
  void* wake;
  return ASYNC_WAIT_CTX_get_fd(context, key, &fd, &wake) ? wake : NULL;
}
