/* The two ends of a wait fd, as each system has them. A reader does not block, and one signal makes it readable. */
#ifndef TEST_DEVICE_WAKE_ENDS_H_
#define TEST_DEVICE_WAKE_ENDS_H_

#include <openssl/async.h>
#include <stdbool.h>

struct wake_ends {
  OSSL_ASYNC_FD read;
  OSSL_ASYNC_FD write; /* of an eventfd and of Windows' event object: the same */
};

/* 0, or the system's error number. `as_pipe`: two ends even where the system has something with one; Windows has no
 * pipe that can be waited for, and opens an event object. */
int wake_ends_open(struct wake_ends* ends, bool as_pipe);
void wake_ends_close(struct wake_ends* ends);

void wake_ends_signal(const struct wake_ends* ends);
void wake_ends_drain(const struct wake_ends* ends);

#endif
