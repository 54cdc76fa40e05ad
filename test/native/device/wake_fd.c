#include "wake_fd.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "counters.h"
#include "wake_ends.h"

struct wake_fd {
  atomic_int owners;
  pthread_mutex_t mutex; /* no write while it is being closed */
  bool closed;
  struct wake_ends ends;
};

struct wake_fd* wake_fd_create(void) {
  struct wake_fd* wake = calloc(1, sizeof(*wake));
  int error;
  if (wake == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return NULL;
  }
  error = wake_ends_open(&wake->ends, false);
  if (error != 0) {
    ERR_raise_data(ERR_LIB_SYS, error, "the test device cannot open a wait fd");
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
    wake_ends_close(&wake->ends);
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
  pthread_mutex_lock(&wake->mutex);
  if (!wake->closed) {
    count(&device_counters.wakes_written);
    wake_ends_signal(&wake->ends);
  }
  pthread_mutex_unlock(&wake->mutex);
}

void wake_fd_drain(struct wake_fd* wake) {
  pthread_mutex_lock(&wake->mutex);
  if (!wake->closed) wake_ends_drain(&wake->ends);
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
  if (ASYNC_WAIT_CTX_set_wait_fd(context, key, wake->ends.read, wake, on_context_freed)) return 1;
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
