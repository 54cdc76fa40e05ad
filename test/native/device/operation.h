/*
 * One operation of the device: in flight from operation_submit() until a device thread completes it. The waiting job
 * and the device share it, so that neither outlives it: a job may be abandoned, the device may be shut down.
 *
 * Completion is one step for the job: the fd is signalled and the operation marked under the operation's lock. A job
 * that sees the mark therefore finds the signal, drains it, and may close the fd; a job that the fd woke finds the
 * mark. The callback follows the mark and is called without the lock: the callback and its argument are the
 * application's.
 */
#ifndef TEST_DEVICE_OPERATION_H_
#define TEST_DEVICE_OPERATION_H_

#include <stdbool.h>
#include <stdint.h>

#include "deadline_queue.h"
#include "notify.h"

struct operation;
struct wake_fd;

/* The result is the caller's; null without memory. `wake` (borrowed) and `notification.callback` may be null. */
struct operation* operation_create(struct wake_fd* wake, struct notification notification);
void operation_release(struct operation* operation);

/* Job side. True once the operation is complete; the fd is drained then. */
bool operation_is_complete(struct operation* operation);

/* Job side: shares the operation with the queue. False when it could not be queued. */
bool operation_submit(struct operation* operation, struct deadline_queue* queue, int64_t latency_micros);

/* Job side, for an operation that was not submitted: complete at once, and nobody is notified, so that the job must not
 * pause for it. */
void operation_complete_in_place(struct operation* operation);
bool operation_completed_in_place(const struct operation* operation);

/* Device side: the `run` of its queue. Completes the operation, and gives up the queue's share. */
void operation_run(struct deadline_entry* entry);

/* Device side: gives up the queue's share. The operation will never be complete. */
void operation_drop(struct deadline_entry* entry);

#endif
