/*
 * The simulated accelerator: one per process, shared by all environments that load the addon. Its threads start with
 * the first operation.
 */
#ifndef TEST_DEVICE_DEVICE_H_
#define TEST_DEVICE_DEVICE_H_

#include <openssl/async.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify.h"
#include "operation.h"

/* An environment comes, an environment goes. The first finds a device that is not held. With the last one, the device
 * completes its operations (or forgets them when held), joins its threads, and from then on completes operations in
 * place. */
void device_acquire(void);
void device_release(void);

/* Job side. True when the operation is in flight, complete, or (held, and no environment left) never will be. */
bool device_submit(struct operation* operation, int64_t latency_micros);

/* Job side. Calls back from another thread after `delay_millis`, at the latest at the exit of the process, even if the
 * job and the environment have ended by then. */
int device_call_back_late(struct notification notification, int32_t delay_millis);

/* While held, no operation is completed and no late callback is called; both come when it is let go. */
void device_hold(bool held);
bool device_is_held(void);

/* Completes the operations in flight, and calls callbacks that are due later, held or not. */
void device_complete_all(void);

/* Completes the operations in flight (unless held) and joins the threads. The next operation starts them anew. */
void device_shutdown(void);

size_t device_threads(void);

#endif
