/*
 * Counts since the process began. Each counter changes before the counted event becomes visible to a job: a test that
 * sees a job end sees its counts.
 */
#ifndef TEST_DEVICE_COUNTERS_H_
#define TEST_DEVICE_COUNTERS_H_

#include <stdatomic.h>
#include <stdint.h>

struct device_counters {
  atomic_llong submitted;             /* operations given to the device */
  atomic_llong completed;             /* of these, completed */
  atomic_llong in_flight;             /* of these, neither completed nor dropped at the end of the last environment */
  atomic_llong same_thread_callbacks; /* WAIT_CTX callbacks from within a job */
  atomic_llong foreign_callbacks;     /* WAIT_CTX callbacks from a thread of ours, late ones included */
  atomic_llong fds_opened;            /* wake fds; a pipe counts once */
  atomic_llong fds_closed;
  atomic_llong wakes_written;    /* wake fds made readable */
  atomic_llong spurious_resumes; /* resumes of a job that was to be notified, before it was */
  atomic_llong empty_polls;      /* resumes of a job that gives no notification, before its operation was complete */
};

extern struct device_counters device_counters;

static inline void count(atomic_llong* counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }
static inline void discount(atomic_llong* counter) { atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed); }

static inline int64_t counted(atomic_llong* counter) { return atomic_load_explicit(counter, memory_order_relaxed); }

#endif
