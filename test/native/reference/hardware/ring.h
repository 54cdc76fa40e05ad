/*
 * The requests in flight, and the threads that work on them. A request is on the submitter's stack: it stays until
 * ring_is_complete() or ring_await() say that the device is done with it.
 */
#ifndef TEST_REFERENCE_RING_H_
#define TEST_REFERENCE_RING_H_

#include <openssl/async.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "carried_errors.h"
#include "deadline_queue.h"
#include "wake.h"

struct ring;

enum request_state {
  REQUEST_PENDING,
  REQUEST_READY,    /* the result is there, but the callback is still being called */
  REQUEST_COMPLETE, /* the device is done with it */
};

struct request {
  struct deadline_entry entry; /* first: the queue knows only this */
  int (*work)(void* argument);
  void* argument;
  int64_t latency_micros;
  size_t capacity;
  bool collected_by_poll;
  const struct wake* wake;    /* or null */
  ASYNC_callback_fn callback; /* or null */
  void* callback_argument;
  int result;
  struct carried_errors errors;
  /* The ring's. */
  struct ring* ring;
  struct request* next;
  pthread_t submitter;
  enum request_state state;
};

struct ring {
  pthread_mutex_t mutex;
  pthread_cond_t changed; /* a request became complete or collectable */
  struct deadline_queue queue;
  struct request* finished; /* for ring_collect(), first in first out */
  struct request** last_finished;
  size_t in_flight;
  size_t unfinished;
  int64_t progress_nanos; /* when one was finished, or the first one began to wait */
  pid_t process;
};

bool ring_init(struct ring* ring);
/* Joins the threads. There must be nothing in flight. */
void ring_destroy(struct ring* ring);

enum ring_answer { RING_TAKEN, RING_FULL, RING_FAILED };

/* RING_FAILED: without memory or threads, with an OpenSSL error. */
enum ring_answer ring_submit(struct ring* ring, struct request* request);

/* True once: the caller then has the result, and its errors in its queue. Waits while a ready request's callback runs
 * on another thread. */
bool ring_is_complete(struct ring* ring, struct request* request);

/* Waits on this thread, and collects by itself the requests that a poll would collect. */
void ring_await(struct ring* ring, struct request* request);
void ring_await_place(struct ring* ring, size_t capacity);

/* Completes finished requests that nobody was told of, and returns how many. */
int ring_collect(struct ring* ring);

size_t ring_in_flight(struct ring* ring);
bool ring_is_alive(struct ring* ring, int64_t latency_micros);

#endif
