#include "notify.h"

#include <stddef.h>

#include "counters.h"
#include "wake_fd.h"

static const char kSelfWakeKey;

ASYNC_WAIT_CTX* current_wait_context(void) {
  ASYNC_JOB* job = ASYNC_get_current_job();
  return job == NULL ? NULL : ASYNC_get_wait_ctx(job);
}

struct notification notification_of(ASYNC_WAIT_CTX* context) {
  struct notification notification = {NULL, NULL};
  if (!ASYNC_WAIT_CTX_get_callback(context, &notification.callback, &notification.argument)) {
    notification.callback = NULL;
  }
  return notification;
}

void notify_from_job(struct notification notification) {
  count(&device_counters.same_thread_callbacks);
  notification.callback(notification.argument);
}

int self_wake_begin(struct self_wake* self) {
  struct notification notification;
  self->context = current_wait_context();
  self->wake = NULL;
  if (self->context == NULL) return 0;
  notification = notification_of(self->context);
  if (notification.callback != NULL) {
    notify_from_job(notification);
    return 1;
  }
  self->wake = wake_fd_create();
  if (self->wake == NULL) return 0;
  wake_fd_signal(self->wake);
  return wake_fd_attach(self->wake, self->context, &kSelfWakeKey);
}

void self_wake_end(struct self_wake* self) {
  if (self->wake != NULL) wake_fd_detach(self->wake, self->context, &kSelfWakeKey);
}

int pause_with_self_wake(void) {
  struct self_wake self;
  int paused;
  if (!self_wake_begin(&self)) return 0;
  paused = ASYNC_pause_job();
  self_wake_end(&self);
  return paused;
}
