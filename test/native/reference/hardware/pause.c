#include "pause.h"

#include <time.h>

struct waiter {
  ASYNC_WAIT_CTX* context; /* null outside a job, or when it must not pause */
  enum hardware_mode mode;
  struct wake* wake;
  struct pause_counters* counters;
  unsigned rushed;
};

static void count(atomic_ullong* counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

static int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* While the application has pauses blocked, ASYNC_pause_job(3) returns at once, and as if it had paused. Nothing tells
 * this from an application that resumes without waiting, except that it takes no longer than any other look at the job,
 * where a switch to another stack and back takes several times as long: again and again. */
enum { LOOKS_OF_SWITCH = 3, MOST_RUSHED = 64 };

/* False when there is no sense in pausing any more. */
static bool pause(struct waiter* waiter) {
  int64_t look = now_nanos();
  int64_t began;
  int64_t took;
  ASYNC_get_current_job();
  began = now_nanos();
  if (!ASYNC_pause_job()) return false;
  took = now_nanos() - began;
  if (took >= LOOKS_OF_SWITCH * (began - look)) {
    waiter->rushed = 0;
    count(&waiter->counters->pauses);
    return true;
  }
  return ++waiter->rushed < MOST_RUSHED;
}

static ASYNC_WAIT_CTX* current_wait_context(void) {
  ASYNC_JOB* job = ASYNC_get_current_job();
  return job == NULL ? NULL : ASYNC_get_wait_ctx(job);
}

static bool take_callback(ASYNC_WAIT_CTX* context, struct request* request) {
  return ASYNC_WAIT_CTX_get_callback(context, &request->callback, &request->callback_argument) == 1 &&
         request->callback != NULL;
}

/* Decides how the device tells of the end. False when it cannot. */
static bool arrange_notification(struct waiter* waiter, struct request* request) {
  switch (waiter->mode) {
    case HARDWARE_CALLBACK:
      take_callback(waiter->context, request);
      return true;
    case HARDWARE_AUTO:
    case HARDWARE_POLL_NOTIFY:
      if (take_callback(waiter->context, request)) return true;
      waiter->wake = wake_of(waiter->context, true);
      break;
    case HARDWARE_EVENT_FD:
      waiter->wake = wake_of(waiter->context, true);
      break;
    case HARDWARE_FD:
      waiter->wake = wake_of(waiter->context, false);
      break;
    case HARDWARE_FRESH_FD:
      waiter->wake = wake_new(waiter->context);
      break;
    default: /* nobody is told */
      return true;
  }
  request->wake = waiter->wake;
  return waiter->wake != NULL;
}

/* The application tries again when it sees the status. One that has set no callback may know nothing of statuses and
 * wait for the fd only: it is woken at once. */
static bool pause_while_full(struct waiter* waiter, struct request* request) {
  ASYNC_callback_fn callback = NULL;
  void* argument = NULL;
  bool paused;
  count(&waiter->counters->retries);
  ASYNC_WAIT_CTX_get_callback(waiter->context, &callback, &argument);
  ASYNC_WAIT_CTX_set_status(waiter->context, ASYNC_STATUS_EAGAIN);
  if (callback == NULL && request->wake != NULL) wake_signal(request->wake);
  paused = pause(waiter);
  if (request->wake != NULL) wake_drain(request->wake);
  return paused;
}

/* False, and its result says so, when the device does not take it. */
static bool submit(struct waiter* waiter, struct ring* ring, struct request* request) {
  for (;;) {
    enum ring_answer answer = ring_submit(ring, request);
    if (answer != RING_FULL) return answer == RING_TAKEN;
    if (waiter->context == NULL) {
      ring_await_place(ring, request->capacity);
    } else if (!pause_while_full(waiter, request)) {
      waiter->context = NULL;
    }
  }
}

/* A resume is a hint: the job may have been resumed for any reason. */
static void pause_until_complete(struct waiter* waiter, struct ring* ring, struct request* request) {
  while (waiter->context != NULL) {
    if (!pause(waiter)) waiter->context = NULL;
    if (ring_is_complete(ring, request)) return;
    if (waiter->rushed == 0) count(&waiter->counters->spurious_resumes);
  }
  count(&waiter->counters->synchronous);
  ring_await(ring, request);
}

void pause_while_running(struct ring* ring, struct request* request, enum hardware_mode mode,
                         struct pause_counters* counters) {
  ASYNC_WAIT_CTX* context = mode == HARDWARE_SYNC ? NULL : current_wait_context();
  struct waiter waiter = {.context = context, .mode = mode, .counters = counters};
  int status_before = ASYNC_STATUS_UNSUPPORTED;
  if (context != NULL) {
    status_before = ASYNC_WAIT_CTX_get_status(context);
    if (!arrange_notification(&waiter, request)) return;
    request->collected_by_poll = mode == HARDWARE_POLL || mode == HARDWARE_POLL_NOTIFY;
  }
  if (submit(&waiter, ring, request)) {
    /* There will be a callback: no need to try. What is left of an earlier operation is not true of this one. */
    if (context != NULL) {
      ASYNC_WAIT_CTX_set_status(context, request->callback != NULL ? ASYNC_STATUS_OK : ASYNC_STATUS_UNSUPPORTED);
    }
    pause_until_complete(&waiter, ring, request);
  }
  if (context != NULL) ASYNC_WAIT_CTX_set_status(context, status_before);
  if (waiter.wake == NULL) return;
  wake_drain(waiter.wake);
  if (mode == HARDWARE_FRESH_FD) wake_discard(waiter.wake, context);
}
