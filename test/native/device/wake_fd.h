/*
 * A wait fd of the device, see wake_ends.h. It is shared by the wait context that it was set
 * on (whose clean-up routine closes it) and an operation in flight (which must not write to a number that may be
 * somebody else's by then).
 */
#ifndef TEST_DEVICE_WAKE_FD_H_
#define TEST_DEVICE_WAKE_FD_H_

#include <openssl/async.h>
#include <stdbool.h>

struct wake_fd;

/* The result is the caller's; null, with an error on the queue, when the system has no fd left. */
struct wake_fd* wake_fd_create(void);
struct wake_fd* wake_fd_share(struct wake_fd* wake);
void wake_fd_release(struct wake_fd* wake);

/* Any thread. Does nothing once closed. */
void wake_fd_signal(struct wake_fd* wake);
void wake_fd_drain(struct wake_fd* wake);

/* Sets the fd on the context under that key. The context then owns it: wake_fd_detach() or the end of the context
 * closes and releases it. 0, and closed, when OpenSSL refuses. */
int wake_fd_attach(struct wake_fd* wake, ASYNC_WAIT_CTX* context, const void* key);
void wake_fd_detach(struct wake_fd* wake, ASYNC_WAIT_CTX* context, const void* key);

/* The wake fd that was attached under that key, or null. Borrowed. */
struct wake_fd* wake_fd_attached(ASYNC_WAIT_CTX* context, const void* key);

#endif
