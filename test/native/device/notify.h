/* The two ways of a job to wake itself: the wait context's callback, or an fd that is readable already. */
#ifndef TEST_DEVICE_NOTIFY_H_
#define TEST_DEVICE_NOTIFY_H_

#include <openssl/async.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wake_fd;

struct notification {
  ASYNC_callback_fn callback; /* null when the application set none */
  void* argument;
};

/* The job that runs on this thread, or null. */
ASYNC_WAIT_CTX* current_wait_context(void);

struct notification notification_of(ASYNC_WAIT_CTX* context);

/* Calls back on this thread, from within the job. */
void notify_from_job(struct notification notification);

/*
 * A pause that is woken before it begins: by the callback where there is one, else by an fd. It comes in two halves, so
 * that the caller's own ASYNC_pause_job() stands between: begin, pause, end. Begin returns 0 without a job or an fd.
 */
struct self_wake {
  ASYNC_WAIT_CTX* context;
  struct wake_fd* wake; /* null with a callback */
};

int self_wake_begin(struct self_wake* self);
void self_wake_end(struct self_wake* self);

/* Begin, pause and end. 1 on success. */
int pause_with_self_wake(void);

#ifdef __cplusplus
}
#endif

#endif
