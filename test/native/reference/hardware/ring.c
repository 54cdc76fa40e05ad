#include "ring.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 2 };

static const int64_t kNanosPerSecond = 1000000000;

static int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

/* As soon as the request is complete, its job may end and free its memory: so the callback is read first. The request
 * only counts as complete when the callback has returned: otherwise the job could end meanwhile, and its application
 * could free the callback's data. A callback on the job's own thread, in a poll, cannot see that, but may resume the
 * job. */
static void complete(struct ring* ring, struct request* request) {
  ASYNC_callback_fn callback = request->callback;
  void* argument = request->callback_argument;
  bool at_once = callback == NULL || pthread_equal(request->submitter, pthread_self());
  pthread_mutex_lock(&ring->mutex);
  --ring->in_flight;
  /* Before the job can see that it is complete: it may close the fd then. */
  if (request->wake != NULL) wake_signal(request->wake);
  request->state = at_once ? REQUEST_COMPLETE : REQUEST_READY;
  pthread_cond_broadcast(&ring->changed);
  pthread_mutex_unlock(&ring->mutex);
  if (callback == NULL) return;
  callback(argument);
  if (at_once) return;
  pthread_mutex_lock(&ring->mutex);
  request->state = REQUEST_COMPLETE;
  pthread_cond_broadcast(&ring->changed);
  pthread_mutex_unlock(&ring->mutex);
}

/* On a thread of the device. */
static void run(struct deadline_entry* entry) {
  struct request* request = (struct request*)entry;
  struct ring* ring = request->ring;
  ERR_clear_error();
  request->result = request->work(request->argument);
  carried_errors_take(&request->errors);
  pthread_mutex_lock(&ring->mutex);
  --ring->unfinished;
  ring->progress_nanos = now_nanos();
  if (request->collected_by_poll) {
    request->next = NULL;
    *ring->last_finished = request;
    ring->last_finished = &request->next;
    pthread_cond_broadcast(&ring->changed);
    pthread_mutex_unlock(&ring->mutex);
    return;
  }
  pthread_mutex_unlock(&ring->mutex);
  complete(ring, request);
}

bool ring_init(struct ring* ring) {
  if (pthread_mutex_init(&ring->mutex, NULL) != 0) return false;
  if (pthread_cond_init(&ring->changed, NULL) != 0) {
    pthread_mutex_destroy(&ring->mutex);
    return false;
  }
  ring->queue = (struct deadline_queue)DEADLINE_QUEUE_INITIALIZER(run, THREADS);
  ring->finished = NULL;
  ring->last_finished = &ring->finished;
  ring->in_flight = 0;
  ring->unfinished = 0;
  ring->process = getpid();
  return true;
}

void ring_destroy(struct ring* ring) {
  if (ring->process == getpid()) deadline_queue_stop(&ring->queue);
  pthread_cond_destroy(&ring->changed);
  pthread_mutex_destroy(&ring->mutex);
}

/* A forked process has neither the threads nor their work. */
static void renew_after_fork(struct ring* ring) {
  if (ring->process != getpid()) ring_init(ring);
}

enum ring_answer ring_submit(struct ring* ring, struct request* request) {
  renew_after_fork(ring);
  request->ring = ring;
  request->state = REQUEST_PENDING;
  request->submitter = pthread_self();
  pthread_mutex_lock(&ring->mutex);
  if (ring->in_flight >= request->capacity) {
    pthread_mutex_unlock(&ring->mutex);
    return RING_FULL;
  }
  ++ring->in_flight;
  if (ring->unfinished++ == 0) ring->progress_nanos = now_nanos();
  pthread_mutex_unlock(&ring->mutex);
  if (deadline_queue_add(&ring->queue, &request->entry, request->latency_micros)) return RING_TAKEN;
  pthread_mutex_lock(&ring->mutex);
  --ring->in_flight;
  --ring->unfinished;
  pthread_mutex_unlock(&ring->mutex);
  ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "the reference hardware cannot queue a request");
  return RING_FAILED;
}

bool ring_is_complete(struct ring* ring, struct request* request) {
  bool pending;
  pthread_mutex_lock(&ring->mutex);
  pending = request->state == REQUEST_PENDING;
  while (request->state == REQUEST_READY) pthread_cond_wait(&ring->changed, &ring->mutex);
  pthread_mutex_unlock(&ring->mutex);
  if (pending) return false;
  carried_errors_raise(&request->errors);
  return true;
}

/* Called with the mutex held, and returns with it; the mutex is free while others are told. */
static void collect_or_wait(struct ring* ring) {
  if (ring->finished == NULL) {
    pthread_cond_wait(&ring->changed, &ring->mutex);
    return;
  }
  pthread_mutex_unlock(&ring->mutex);
  ring_collect(ring);
  pthread_mutex_lock(&ring->mutex);
}

void ring_await(struct ring* ring, struct request* request) {
  pthread_mutex_lock(&ring->mutex);
  while (request->state == REQUEST_PENDING) collect_or_wait(ring);
  pthread_mutex_unlock(&ring->mutex);
  ring_is_complete(ring, request);
}

void ring_await_place(struct ring* ring, size_t capacity) {
  pthread_mutex_lock(&ring->mutex);
  while (ring->in_flight >= capacity) collect_or_wait(ring);
  pthread_mutex_unlock(&ring->mutex);
}

int ring_collect(struct ring* ring) {
  struct request* request;
  int collected = 0;
  renew_after_fork(ring);
  pthread_mutex_lock(&ring->mutex);
  request = ring->finished;
  ring->finished = NULL;
  ring->last_finished = &ring->finished;
  pthread_mutex_unlock(&ring->mutex);
  while (request != NULL) {
    struct request* next = request->next; /* read before it is complete */
    complete(ring, request);
    request = next;
    ++collected;
  }
  return collected;
}

size_t ring_in_flight(struct ring* ring) {
  size_t in_flight;
  renew_after_fork(ring);
  pthread_mutex_lock(&ring->mutex);
  in_flight = ring->in_flight;
  pthread_mutex_unlock(&ring->mutex);
  return in_flight;
}

bool ring_is_alive(struct ring* ring, int64_t latency_micros) {
  bool alive;
  renew_after_fork(ring);
  pthread_mutex_lock(&ring->mutex);
  alive = ring->unfinished == 0 || now_nanos() - ring->progress_nanos < latency_micros * 1000 + kNanosPerSecond;
  pthread_mutex_unlock(&ring->mutex);
  return alive;
}
