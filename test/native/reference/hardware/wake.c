#include "wake.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "wake_ends.h"

struct wake {
  struct wake_ends ends;
  bool event_fd;
};

/* The key of our fd in a wait context: an address that nobody else has. */
static const char kKey;

static void wake_free(struct wake* wake) {
  wake_ends_close(&wake->ends);
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
  int error;
  if (wake == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return NULL;
  }
  wake->event_fd = event_fd;
  error = wake_ends_open(&wake->ends, !event_fd);
  if (error != 0) {
    ERR_raise_data(ERR_LIB_SYS, error, "the reference hardware cannot open a wait fd");
    free(wake);
    return NULL;
  }
  if (ASYNC_WAIT_CTX_set_wait_fd(context, &kKey, wake->ends.read, wake, on_context_freed)) return wake;
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

void wake_signal(const struct wake* wake) { wake_ends_signal(&wake->ends); }

void wake_drain(const struct wake* wake) { wake_ends_drain(&wake->ends); }
