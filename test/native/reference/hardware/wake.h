/* An fd that a thread of the device makes readable. */
#ifndef TEST_REFERENCE_WAKE_H_
#define TEST_REFERENCE_WAKE_H_

#include <openssl/async.h>
#include <stdbool.h>

struct wake;

/* The wake of the wait context, made by the first call. The context owns it, and closes it in its clean-up routine.
 * Null, with an OpenSSL error, when it could not be made. */
struct wake* wake_of(ASYNC_WAIT_CTX* context, bool event_fd);

/* Any thread, as long as the wake lives. */
void wake_signal(const struct wake* wake);
void wake_drain(const struct wake* wake);

#endif
