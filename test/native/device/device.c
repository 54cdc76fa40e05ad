#include "device.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "counters.h"
#include "deadline_queue.h"

struct late_callback {
  struct deadline_entry entry; /* first: the queue knows only this */
  struct notification notification;
};

static void run_late_callback(struct deadline_entry* entry) {
  struct late_callback* late = (struct late_callback*)entry;
  late->notification.callback(late->notification.argument);
  count(&device_counters.foreign_callbacks); /* afterwards: tests go on when they see it */
  free(late);
}

/* Static, and never torn down: threads may use them until the process is gone. */
static struct deadline_queue operations = DEADLINE_QUEUE_INITIALIZER(operation_run, 2);
static struct deadline_queue late_callbacks = DEADLINE_QUEUE_INITIALIZER(run_late_callback, 1);

static pthread_mutex_t environments_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t environments;

static bool has_environments(void) {
  bool result;
  pthread_mutex_lock(&environments_mutex);
  result = environments > 0;
  pthread_mutex_unlock(&environments_mutex);
  return result;
}

/* Late callbacks belong to no environment: they come now. Operations in flight are not waited for: process.exit() may
 * have left the application inside the callback's own data. */
static void at_exit(void) {
  deadline_queue_hold(&late_callbacks, false);
  deadline_queue_stop(&late_callbacks);
}

static void register_at_exit(void) { atexit(at_exit); }

void device_acquire(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_at_exit);
  pthread_mutex_lock(&environments_mutex);
  if (environments++ == 0) device_hold(false);
  pthread_mutex_unlock(&environments_mutex);
}

void device_release(void) {
  struct deadline_entry* entry;
  bool last;
  pthread_mutex_lock(&environments_mutex);
  last = --environments == 0;
  pthread_mutex_unlock(&environments_mutex);
  if (!last) return;
  deadline_queue_stop(&operations);
  while (!has_environments() && (entry = deadline_queue_take(&operations)) != NULL) operation_drop(entry);
}

bool device_submit(struct operation* operation, int64_t latency_micros) {
  if (!has_environments()) { /* a job is driven to its end after its environment's device has gone */
    if (!device_is_held()) operation_complete_in_place(operation);
    return true;
  }
  return operation_submit(operation, &operations, latency_micros);
}

int device_call_back_late(struct notification notification, int32_t delay_millis) {
  struct late_callback* late = calloc(1, sizeof(*late));
  if (late == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return 0;
  }
  late->notification = notification;
  if (deadline_queue_add(&late_callbacks, &late->entry, (int64_t)delay_millis * 1000)) return 1;
  free(late);
  return 0;
}

void device_hold(bool held) {
  deadline_queue_hold(&operations, held);
  deadline_queue_hold(&late_callbacks, held);
}

bool device_is_held(void) { return deadline_queue_held(&operations); }

void device_complete_all(void) {
  deadline_queue_force(&operations);
  deadline_queue_force(&late_callbacks);
}

void device_shutdown(void) { deadline_queue_stop(&operations); }

size_t device_threads(void) { return deadline_queue_threads(&operations); }
