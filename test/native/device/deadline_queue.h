/*
 * Work that is due at a time, done by a few threads: a binary heap of deadlines. Lives as long as the process; its
 * threads come with the first entry and go with deadline_queue_stop().
 */
#ifndef TEST_DEVICE_DEADLINE_QUEUE_H_
#define TEST_DEVICE_DEADLINE_QUEUE_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEADLINE_QUEUE_MAX_THREADS = 2 };

struct deadline_entry {
  int64_t due_nanos; /* on the monotonic clock */
};

/* Takes the entry over. `run` is called on a thread of the queue, without its lock. */
typedef void (*deadline_entry_function)(struct deadline_entry* entry);

struct deadline_queue {
  pthread_mutex_t mutex;
  deadline_entry_function run;
  size_t wanted_threads;
  /* The mutex guards all members after it. */
  pthread_cond_t changed; /* its clock is set at run time: see prepare() */
  bool prepared;
  bool held;
  bool stopping;
  struct deadline_entry** heap;
  size_t size;
  size_t capacity;
  pthread_t threads[DEADLINE_QUEUE_MAX_THREADS];
  size_t thread_count;
};

#define DEADLINE_QUEUE_INITIALIZER(run_function, threads_wanted) \
  { .mutex = PTHREAD_MUTEX_INITIALIZER, .run = (run_function), .wanted_threads = (threads_wanted) }

/* False, and the entry stays the caller's, without memory or threads. */
bool deadline_queue_add(struct deadline_queue* queue, struct deadline_entry* entry, int64_t delay_micros);

/* While held, nothing runs but the entries of deadline_queue_force(). */
void deadline_queue_hold(struct deadline_queue* queue, bool held);
bool deadline_queue_held(struct deadline_queue* queue);

/* Makes all waiting entries due at once, held or not. */
void deadline_queue_force(struct deadline_queue* queue);

/* Runs waiting entries without regard to their time (unless held: they go on waiting), and joins the threads. */
void deadline_queue_stop(struct deadline_queue* queue);

/* Takes any waiting entry, or null. For an owner that gives up on them. */
struct deadline_entry* deadline_queue_take(struct deadline_queue* queue);

size_t deadline_queue_threads(struct deadline_queue* queue);

#endif
