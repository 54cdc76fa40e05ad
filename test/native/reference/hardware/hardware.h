/*
 * A simulated accelerator, as engine/ and provider/ offer it to OpenSSL. It really does the work, with OpenSSL's own
 * functions on a thread of the device, after a latency. Each instance has threads, a ring of requests, settings and
 * counters of its own.
 *
 * Settings: a control command of the engine; a parameter of the provider, in its section of a configuration file.
 *
 *   MODE            mode            how a job that waits is told: see the modes below. Default auto.
 *   LATENCY_MICROS  latency-micros  before the device begins with a request. 0 to 60 000 000, default 0.
 *   CAPACITY        capacity        requests in flight before the ring is full. 1 to 1 000 000, default 1024.
 *   FAIL_EVERY      fail-every      of all operations, every n-th fails. 0 (none, the default) to 1 000 000 000.
 *
 * Modes:
 *
 *   auto      as callback where the application has set one, else as event-fd
 *   callback  calls the wait context's callback from a thread of the device; where there is none, as fd
 *   event-fd  an eventfd, made once per wait context (a pipe where there are none)
 *   fd        a pipe, made once per wait context
 *   blocking  a pipe, made once per wait context, whose byte the job reads after the pause, and waits for; sets no
 *             status. An application that resumes such a job early waits with it.
 *   unstated  as auto, but sets no status, as an engine that knows nothing of statuses
 *   none      tells nobody, and says so ("again"): the job looks at each resume
 *   poll      as auto, but finished requests stay in the ring, and nobody is told, until POLL collects them
 *   sync      does not pause
 *
 * Other control commands: POLL, HEARTBEAT and STATS; see engine/engine.c. Other parameters, all to be read: the
 * counters below, poll and alive; see provider/provider.c.
 *
 * Counters, in both:
 *
 *   operations        begun so far
 *   pauses            of jobs: calls of ASYNC_pause_job(3) that returned as resumed
 *   spurious-resumes  of jobs whose operation was not complete
 *   polls             calls of POLL
 *   empty-polls       of these, those that had nothing to collect
 *   retries           pauses because the ring was full
 *   errors            operations that failed, by FAIL_EVERY or by themselves
 *   synchronous       operations that were waited for without a pause
 *   in-flight         requests in the ring now
 */
#ifndef TEST_REFERENCE_HARDWARE_H_
#define TEST_REFERENCE_HARDWARE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hardware_mode {
  HARDWARE_AUTO,
  HARDWARE_CALLBACK,
  HARDWARE_EVENT_FD,
  HARDWARE_FD,
  HARDWARE_BLOCKING,
  HARDWARE_UNSTATED,
  HARDWARE_NONE,
  HARDWARE_POLL,
  HARDWARE_SYNC,
};

enum hardware_number { HARDWARE_LATENCY_MICROS, HARDWARE_CAPACITY, HARDWARE_FAIL_EVERY, HARDWARE_NUMBERS };

enum hardware_counter {
  HARDWARE_OPERATIONS,
  HARDWARE_PAUSES,
  HARDWARE_SPURIOUS_RESUMES,
  HARDWARE_POLLS,
  HARDWARE_EMPTY_POLLS,
  HARDWARE_RETRIES,
  HARDWARE_ERRORS,
  HARDWARE_SYNCHRONOUS,
  HARDWARE_IN_FLIGHT,
  HARDWARE_COUNTERS,
};

/* As above: "latency-micros", "spurious-resumes". */
extern const char* const hardware_number_names[HARDWARE_NUMBERS];
extern const char* const hardware_counter_names[HARDWARE_COUNTERS];

struct hardware;

/* Null without memory. */
struct hardware* hardware_new(void);
/* Joins the threads. Nobody may be in hardware_run(). */
void hardware_free(struct hardware* hardware);

/* False, with an OpenSSL error, and nothing is changed, when there is no such mode or the number is out of range. */
bool hardware_set_mode(struct hardware* hardware, const char* name);
bool hardware_set_number(struct hardware* hardware, enum hardware_number which, int64_t value);

const char* hardware_mode_name(struct hardware* hardware);
int64_t hardware_get_number(struct hardware* hardware, enum hardware_number which);
uint64_t hardware_get_counter(struct hardware* hardware, enum hardware_counter which);
/* "operations=1 pauses=1 …"; cut to the given size. */
void hardware_describe(struct hardware* hardware, char* text, size_t room);

/*
 * Has the device call `work`, and returns its result: 1, or 0 with an OpenSSL error, which is then in the caller's
 * queue. A job pauses meanwhile. The data of `work` must stay, and `work` must not ask for the current job.
 */
int hardware_run(struct hardware* hardware, int (*work)(void* argument), void* argument);

/* Completes the finished requests that wait for POLL, and returns how many. Any thread, but not a job's. */
int hardware_poll(struct hardware* hardware);

/* False when waiting requests have made no progress for a second longer than their latency. */
bool hardware_is_alive(struct hardware* hardware);

#endif
