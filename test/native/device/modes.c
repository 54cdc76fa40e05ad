/* The accelerator's job function: a request is as many operations, one after the other, as it has pauses. */
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "counters.h"
#include "device.h"
#include "functions.h"
#include "random.h"
#include "request.h"
#include "wake_fd.h"

/* The keys of our wait fds: addresses that nobody else has. */
static const char kCachedKey;
static const char kFreshKey;
static const char kManyKeys[DEVICE_MAX_FDS];

struct context {
  const struct device_request* request;
  ASYNC_WAIT_CTX* wait_context;
  struct random random;
};

static int64_t next_latency(struct context* context) {
  int64_t latency = context->request->latency_micros;
  int64_t spread = context->request->latency_spread_micros;
  if (spread > INT32_MAX / 2) spread = INT32_MAX / 2;
  if (spread > 0) latency += (int64_t)random_below(&context->random, (uint32_t)(2 * spread + 1)) - spread;
  return latency > 0 ? latency : 0;
}

/* Pauses at least once, as an engine does, even when the operation is complete already: the notification then came
 * before the pause. `early` counts resumes before the operation was complete. */
static bool pause_until_complete(struct operation* operation, atomic_llong* early) {
  for (;;) {
    if (!ASYNC_pause_job()) return false;
    if (operation_is_complete(operation)) return true;
    count(early);
  }
}

static bool run_operation(struct context* context, struct wake_fd* wake, struct notification notification) {
  bool notified = wake != NULL || notification.callback != NULL;
  struct operation* operation = operation_create(wake, notification);
  bool done;
  if (operation == NULL) return false;
  done = device_submit(operation, next_latency(context)) &&
         (operation_completed_in_place(operation) ||
          pause_until_complete(operation, notified ? &device_counters.spurious_resumes : &device_counters.empty_polls));
  operation_release(operation);
  return done;
}

static const struct notification kNoNotification = {NULL, NULL};

static struct wake_fd* attach_new(struct context* context, const void* key) {
  struct wake_fd* wake = wake_fd_create();
  return wake != NULL && wake_fd_attach(wake, context->wait_context, key) ? wake : NULL;
}

static bool pause_on_cached_fd(struct context* context) {
  struct wake_fd* wake = wake_fd_attached(context->wait_context, &kCachedKey);
  if (wake == NULL) wake = attach_new(context, &kCachedKey);
  return wake != NULL && run_operation(context, wake, kNoNotification);
}

static bool pause_on_fresh_fd(struct context* context) {
  struct wake_fd* wake = attach_new(context, &kFreshKey);
  bool done;
  if (wake == NULL) return false;
  done = run_operation(context, wake, kNoNotification);
  wake_fd_detach(wake, context->wait_context, &kFreshKey);
  return done;
}

static bool pause_on_one_of(struct context* context, struct wake_fd** wakes) {
  uint32_t chosen = random_below(&context->random, (uint32_t)context->request->fd_count);
  bool done;
  /* Most likely gets the number of the fd that was closed last: the context reports it removed and added. */
  for (int32_t i = 0; i < context->request->fd_count; ++i) {
    if (wakes[i] == NULL) wakes[i] = attach_new(context, &kManyKeys[i]);
    if (wakes[i] == NULL) return false;
  }
  done = run_operation(context, wakes[chosen], kNoNotification);
  wake_fd_detach(wakes[chosen], context->wait_context, &kManyKeys[chosen]);
  wakes[chosen] = NULL;
  return done;
}

static bool run_on_many_fds(struct context* context) {
  struct wake_fd** wakes = calloc((size_t)context->request->fd_count, sizeof(struct wake_fd*));
  bool done = wakes != NULL;
  if (!done) return false;
  for (int32_t i = 0; done && i < context->request->pauses; ++i) done = pause_on_one_of(context, wakes);
  for (int32_t i = 0; i < context->request->fd_count; ++i) {
    if (wakes[i] != NULL) wake_fd_detach(wakes[i], context->wait_context, &kManyKeys[i]);
  }
  free(wakes);
  return done;
}

static bool pause_with_callback_on_this_thread(struct context* context) {
  struct notification notification = notification_of(context->wait_context);
  count(&device_counters.submitted);
  count(&device_counters.completed);
  if (notification.callback != NULL) notify_from_job(notification);
  return ASYNC_pause_job();
}

static bool pause_for_callback(struct context* context) {
  struct notification notification = notification_of(context->wait_context);
  if (notification.callback != NULL) ASYNC_WAIT_CTX_set_status(context->wait_context, ASYNC_STATUS_OK);
  return run_operation(context, NULL, notification);
}

static bool pause_for_callback_or_fd(struct context* context) {
  return notification_of(context->wait_context).callback != NULL ? pause_for_callback(context)
                                                                 : pause_on_cached_fd(context);
}

/* Earlier requests may have left an fd, which nobody will write to any more. */
static bool pause_without_notification(struct context* context) {
  if (wake_fd_attached(context->wait_context, &kCachedKey) != NULL) {
    ASYNC_WAIT_CTX_set_status(context->wait_context, ASYNC_STATUS_EAGAIN);
  }
  return run_operation(context, NULL, kNoNotification);
}

/* A device that is held stays full. */
static bool pause_while_full(struct context* context) {
  for (int32_t i = 0; i < context->request->again_count || device_is_held(); ++i) {
    ASYNC_WAIT_CTX_set_status(context->wait_context, ASYNC_STATUS_EAGAIN);
    if (!ASYNC_pause_job()) return false;
  }
  ASYNC_WAIT_CTX_set_status(context->wait_context, ASYNC_STATUS_OK);
  count(&device_counters.submitted);
  count(&device_counters.completed);
  return true;
}

static bool pause_and_fail(struct context* context) {
  ASYNC_WAIT_CTX_set_status(context->wait_context, ASYNC_STATUS_ERR);
  ASYNC_pause_job();
  ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "the test device has a fatal problem");
  return false;
}

static bool repeat(struct context* context, bool (*pause)(struct context*)) {
  for (int32_t i = 0; i < context->request->pauses; ++i) {
    if (!pause(context)) return false;
  }
  return true;
}

static bool run_in_mode(struct context* context) {
  switch (context->request->mode) {
    case DEVICE_FD_CACHED:
      return repeat(context, pause_on_cached_fd);
    case DEVICE_FD_FRESH:
      return repeat(context, pause_on_fresh_fd);
    case DEVICE_FDS_MANY:
      return run_on_many_fds(context);
    case DEVICE_CALLBACK_SAME_THREAD:
      return repeat(context, pause_with_callback_on_this_thread);
    case DEVICE_CALLBACK_THREAD:
      return repeat(context, pause_for_callback);
    case DEVICE_NONE:
      return repeat(context, pause_without_notification);
    case DEVICE_AGAIN:
      return pause_while_full(context);
    case DEVICE_STATUS_ERROR:
      return pause_and_fail(context);
    case DEVICE_CALLBACK_OR_FD:
      return repeat(context, pause_for_callback_or_fd);
    default: /* DEVICE_SYNC */
      return true;
  }
}

static bool is_valid(const struct device_request* request) {
  if (request->mode < DEVICE_FD_CACHED || request->mode > DEVICE_SYNC) return false;
  if (request->mode == DEVICE_FDS_MANY && (request->fd_count < 1 || request->fd_count > DEVICE_MAX_FDS)) return false;
  return request->pauses >= 0 && request->fail_every >= 0;
}

static bool is_chosen_to_fail(const struct device_request* request) {
  static atomic_uint candidates;
  return request->fail_every > 0 && (atomic_fetch_add(&candidates, 1) + 1) % (unsigned)request->fail_every == 0;
}

static uint32_t seed_of(const struct device_request* request) {
  static atomic_uint requests;
  return request->seed != 0 ? (uint32_t)request->seed : atomic_fetch_add(&requests, 1) + 1;
}

int run_device_request(void* args) {
  const struct device_request* request = args;
  struct context context;
  bool fail;
  if (request == NULL || !is_valid(request)) return -1;
  context.request = request;
  context.wait_context = current_wait_context();
  context.random = random_seeded(seed_of(request));
  fail = is_chosen_to_fail(request);
  if (context.wait_context != NULL && !run_in_mode(&context)) return 0; /* outside a job: nothing to wait with */
  if (!fail) return request->return_value;
  ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "the test device failed a request");
  return 0;
}
