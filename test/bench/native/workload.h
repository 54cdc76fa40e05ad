/*
 * What the jobs of a trial do, and the clock that measures them. The C program and the driver of our scheduler share
 * it, so that the two differ in nothing but the application's part: starting, waiting, resuming.
 *
 * One trial per process; everything here is that trial's state. Linux only.
 */
#ifndef TEST_BENCH_NATIVE_WORKLOAD_H_
#define TEST_BENCH_NATIVE_WORKLOAD_H_

#include <openssl/async.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An operation is, by trial:
 *   start-finish            an empty job
 *   pause-resume            a pause whose job is resumed without any waiting
 *   fd                      a pause that ends when an eventfd, made once for each wait context, is readable
 *   callback-same-thread    a pause whose callback was called before it, by the job itself
 *   callback-other-thread   a pause whose callback is called by the one thread of the device
 *   no-notification         a job that must be resumed twice and tells nobody when
 *   memory                  none: as many paused jobs as there may be in flight, and what they add to the process's RSS
 */
typedef struct workload_slot workload_slot;

typedef struct workload_result {
  double ns_per_op;
  double bytes_per_job; /* memory only */
  uint64_t ops;         /* measured ones */
  uint64_t all_ops;     /* with the warm-up and what ran after the end */
} workload_result;

/* 0 when there is no such trial or no memory. `ops_per_job` counts for jobs that pause. */
int workload_begin(const char* trial, size_t in_flight, double seconds, unsigned ops_per_job);

/* Whether the trial's jobs are resumed in turn, with no event loop. */
int workload_is_direct(void);

/* `index` < in_flight: one job in flight at a time has it. */
workload_slot* workload_slot_at(size_t index);

/* The job function; `args` points to the pointer to a slot. Returns 1, or 0 when something failed. */
int workload_job(void* args);

/* The time is up: jobs end at their next resume, and no more are wanted. */
int workload_over(void);

/* After the last job ended. */
void workload_end(workload_result* result);

uint64_t workload_now_ns(void);

#ifdef __cplusplus
}
#endif

#endif /* TEST_BENCH_NATIVE_WORKLOAD_H_ */
