#include "pause.h"

#include <sched.h>

struct waiter {
  ASYNC_WAIT_CTX* context; /* null outside a job, or when it must not pause */
  enum hardware_mode mode;
  struct wake* wake;
  struct ring* ring;
  struct pause_counters* counters;
  unsigned resumes;
};

enum { RESUMES_UNTIL_POLL = 1024 };

static void count(atomic_ullong* counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

/* False when there is no sense in pausing any more. While the application has pauses blocked, ASYNC_pause_job(3)
 * returns at once, and as if it had paused: then nobody else on this thread can poll. */
static bool pause(struct waiter* waiter) {
  if (ASYNC_pause_job() != 1) return false;
  count(&waiter->counters->pauses);
  if (++waiter->resumes % RESUMES_UNTIL_POLL == 0) {
    sched_yield();
    ring_collect(waiter->ring);
  }
  return true;
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
      if (take_callback(waiter->context, request)) return true;
      waiter->wake = wake_of(waiter->context, false);
      break;
    case HARDWARE_FD:
    case HARDWARE_BLOCKING:
      waiter->wake = wake_of(waiter->context, false);
      break;
    case HARDWARE_EVENT_FD:
      waiter->wake = wake_of(waiter->context, true);
      break;
    case HARDWARE_NONE:
      return true;
    default: /* auto, unstated and poll */
      if (take_callback(waiter->context, request)) return true;
      waiter->wake = wake_of(waiter->context, true);
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

/* False when the device does not take the request, whose result then says so. */
static bool submit(struct waiter* waiter, struct request* request) {
  for (;;) {
    enum ring_answer answer = ring_submit(waiter->ring, request);
    if (answer != RING_FULL) return answer == RING_TAKEN;
    if (waiter->context == NULL) {
      ring_await_place(waiter->ring, request->capacity);
    } else if (!pause_while_full(waiter, request)) {
      waiter->context = NULL;
    }
  }
}

/* A resume is a hint: the job may have been resumed for any reason. */
static void pause_until_complete(struct waiter* waiter, struct request* request) {
  while (waiter->context != NULL) {
    if (!pause(waiter)) waiter->context = NULL;
    if (ring_is_complete(waiter->ring, request)) return;
    count(&waiter->counters->spurious_resumes);
    if (waiter->mode == HARDWARE_BLOCKING) break; /* as an engine that takes a resume for a proof */
  }
  count(&waiter->counters->synchronous);
  ring_await(waiter->ring, request);
}

static int status_of(enum hardware_mode mode, const struct request* request, int status_before) {
  if (mode == HARDWARE_BLOCKING || mode == HARDWARE_UNSTATED) return status_before;
  if (mode == HARDWARE_NONE) return ASYNC_STATUS_EAGAIN;
  return request->callback != NULL ? ASYNC_STATUS_OK : ASYNC_STATUS_UNSUPPORTED;
}

void pause_while_running(struct ring* ring, struct request* request, enum hardware_mode mode,
                         struct pause_counters* counters) {
  ASYNC_WAIT_CTX* context = mode == HARDWARE_SYNC ? NULL : current_wait_context();
  struct waiter waiter = {.context = context, .mode = mode, .ring = ring, .counters = counters};
  int status_before = ASYNC_STATUS_UNSUPPORTED;
  if (context != NULL) {
    status_before = ASYNC_WAIT_CTX_get_status(context);
    if (!arrange_notification(&waiter, request)) return;
    request->collected_by_poll = mode == HARDWARE_POLL;
  }
  if (submit(&waiter, request)) {
    /* There will be a callback: no need to try. An earlier operation's answer says nothing about this one. */
    if (context != NULL) {
      ASYNC_WAIT_CTX_set_status(context, status_of(mode, request, status_before));
    }
    pause_until_complete(&waiter, request);
  }
  if (context != NULL) ASYNC_WAIT_CTX_set_status(context, status_before);
  if (waiter.wake != NULL) wake_drain(waiter.wake);
}
