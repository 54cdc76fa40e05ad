#include "operation.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "counters.h"
#include "wake_fd.h"

struct operation {
  struct deadline_entry entry; /* first: the queue knows only this */
  atomic_int owners;
  struct wake_fd* wake;
  struct notification notification;
  pthread_mutex_t mutex;
  bool complete;
  bool in_place; /* the job's side only */
};

struct operation* operation_create(struct wake_fd* wake, struct notification notification) {
  struct operation* operation = calloc(1, sizeof(*operation));
  if (operation == NULL) {
    ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
    return NULL;
  }
  atomic_init(&operation->owners, 1);
  operation->wake = wake == NULL ? NULL : wake_fd_share(wake);
  operation->notification = notification;
  pthread_mutex_init(&operation->mutex, NULL);
  return operation;
}

void operation_release(struct operation* operation) {
  if (atomic_fetch_sub_explicit(&operation->owners, 1, memory_order_acq_rel) != 1) return;
  if (operation->wake != NULL) wake_fd_release(operation->wake);
  pthread_mutex_destroy(&operation->mutex);
  free(operation);
}

bool operation_is_complete(struct operation* operation) {
  bool complete;
  pthread_mutex_lock(&operation->mutex);
  complete = operation->complete;
  pthread_mutex_unlock(&operation->mutex);
  if (complete && operation->wake != NULL) wake_fd_drain(operation->wake);
  return complete;
}

bool operation_submit(struct operation* operation, struct deadline_queue* queue, int64_t latency_micros) {
  atomic_fetch_add_explicit(&operation->owners, 1, memory_order_relaxed);
  count(&device_counters.submitted);
  count(&device_counters.in_flight);
  if (deadline_queue_add(queue, &operation->entry, latency_micros)) return true;
  discount(&device_counters.submitted);
  operation_drop(&operation->entry);
  ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "the test device cannot queue an operation");
  return false;
}

void operation_complete_in_place(struct operation* operation) {
  count(&device_counters.submitted);
  count(&device_counters.completed);
  operation->in_place = true;
}

bool operation_completed_in_place(const struct operation* operation) { return operation->in_place; }

void operation_run(struct deadline_entry* entry) {
  struct operation* operation = (struct operation*)entry;
  struct notification notification = operation->notification;
  count(&device_counters.completed);
  discount(&device_counters.in_flight);
  if (notification.callback != NULL) count(&device_counters.foreign_callbacks);
  pthread_mutex_lock(&operation->mutex);
  if (operation->wake != NULL) wake_fd_signal(operation->wake);
  operation->complete = true;
  pthread_mutex_unlock(&operation->mutex);
  if (notification.callback != NULL) notification.callback(notification.argument);
  operation_release(operation);
}

void operation_drop(struct deadline_entry* entry) {
  discount(&device_counters.in_flight);
  operation_release((struct operation*)entry);
}
