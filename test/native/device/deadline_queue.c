#include "deadline_queue.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* The threads' conditions know the wall clock only. */
#if defined(__APPLE__) || defined(_WIN32)
#define WAITS_FOR_A_TIME_SPAN 1
#endif

static const int64_t kForced = INT64_MIN;
static const int64_t kNanosPerSecond = 1000000000;

static int64_t now_nanos(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

static struct timespec timespec_of(int64_t nanos) {
  struct timespec result;
  result.tv_sec = (time_t)(nanos / kNanosPerSecond);
  result.tv_nsec = (long)(nanos % kNanosPerSecond);
  return result;
}

/* Called with the mutex held, as are all functions down to the threads. */
static bool prepare(struct deadline_queue* queue) {
  pthread_condattr_t attributes;
  if (queue->prepared) return true;
  if (pthread_condattr_init(&attributes) != 0) return false;
#ifndef WAITS_FOR_A_TIME_SPAN
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
  queue->prepared = pthread_cond_init(&queue->changed, &attributes) == 0;
  pthread_condattr_destroy(&attributes);
  return queue->prepared;
}

static void wait_until(struct deadline_queue* queue, int64_t due_nanos, int64_t now) {
#ifdef WAITS_FOR_A_TIME_SPAN
  struct timespec timeout = timespec_of(due_nanos - now);
  pthread_cond_timedwait_relative_np(&queue->changed, &queue->mutex, &timeout);
#else
  struct timespec timeout = timespec_of(due_nanos);
  (void)now;
  pthread_cond_timedwait(&queue->changed, &queue->mutex, &timeout);
#endif
}

static void wake_threads(struct deadline_queue* queue) {
  if (queue->prepared) pthread_cond_broadcast(&queue->changed);
}

static bool push(struct deadline_queue* queue, struct deadline_entry* entry) {
  size_t hole = queue->size;
  if (hole == queue->capacity) {
    size_t capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
    struct deadline_entry** heap = realloc(queue->heap, capacity * sizeof(*heap));
    if (heap == NULL) return false;
    queue->heap = heap;
    queue->capacity = capacity;
  }
  ++queue->size;
  while (hole > 0) {
    size_t parent = (hole - 1) / 2;
    if (queue->heap[parent]->due_nanos <= entry->due_nanos) break;
    queue->heap[hole] = queue->heap[parent];
    hole = parent;
  }
  queue->heap[hole] = entry;
  return true;
}

static struct deadline_entry* pop(struct deadline_queue* queue) {
  struct deadline_entry* first = queue->heap[0];
  struct deadline_entry* last = queue->heap[--queue->size];
  size_t hole = 0;
  for (;;) {
    size_t child = 2 * hole + 1;
    if (child >= queue->size) break;
    if (child + 1 < queue->size && queue->heap[child + 1]->due_nanos < queue->heap[child]->due_nanos) ++child;
    if (last->due_nanos <= queue->heap[child]->due_nanos) break;
    queue->heap[hole] = queue->heap[child];
    hole = child;
  }
  queue->heap[hole] = last; /* for an empty heap, an entry that is not in use */
  return first;
}

static bool has_runnable(const struct deadline_queue* queue) {
  return queue->size > 0 && (!queue->held || queue->heap[0]->due_nanos == kForced);
}

/* Takes an entry that may run now. Waits for one, or returns null when there is no reason to go on. */
static struct deadline_entry* next_due(struct deadline_queue* queue) {
  for (;;) {
    if (has_runnable(queue)) {
      int64_t now = now_nanos();
      int64_t due = queue->heap[0]->due_nanos;
      if (queue->stopping || due <= now) return pop(queue);
      wait_until(queue, due, now);
    } else if (queue->stopping) {
      return NULL;
    } else {
      pthread_cond_wait(&queue->changed, &queue->mutex);
    }
  }
}

static void* thread_main(void* argument) {
  struct deadline_queue* queue = argument;
  struct deadline_entry* entry;
  pthread_mutex_lock(&queue->mutex);
  while ((entry = next_due(queue)) != NULL) {
    pthread_mutex_unlock(&queue->mutex);
    queue->run(entry);
    pthread_mutex_lock(&queue->mutex);
  }
  pthread_mutex_unlock(&queue->mutex);
  return NULL;
}

static void start_threads(struct deadline_queue* queue) {
  while (queue->thread_count < queue->wanted_threads) {
    if (pthread_create(&queue->threads[queue->thread_count], NULL, thread_main, queue) != 0) break;
    ++queue->thread_count;
  }
}

/* One thread is enough. It takes none of the process's signals. While the queue is being stopped, threads come later.
 */
static bool ensure_threads(struct deadline_queue* queue) {
  if (queue->thread_count > 0 || queue->stopping) return true;
  if (!prepare(queue)) return false;
#ifdef _WIN32
  start_threads(queue);
#else
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  start_threads(queue);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
  return queue->thread_count > 0;
}

bool deadline_queue_add(struct deadline_queue* queue, struct deadline_entry* entry, int64_t delay_micros) {
  bool added;
  entry->due_nanos = now_nanos() + delay_micros * 1000;
  pthread_mutex_lock(&queue->mutex);
  added = ensure_threads(queue) && push(queue, entry);
  if (added && queue->heap[0] == entry && queue->prepared) pthread_cond_signal(&queue->changed);
  pthread_mutex_unlock(&queue->mutex);
  return added;
}

void deadline_queue_hold(struct deadline_queue* queue, bool held) {
  pthread_mutex_lock(&queue->mutex);
  queue->held = held;
  if (!held && queue->size > 0) ensure_threads(queue);
  wake_threads(queue);
  pthread_mutex_unlock(&queue->mutex);
}

bool deadline_queue_held(struct deadline_queue* queue) {
  bool held;
  pthread_mutex_lock(&queue->mutex);
  held = queue->held;
  pthread_mutex_unlock(&queue->mutex);
  return held;
}

void deadline_queue_force(struct deadline_queue* queue) {
  pthread_mutex_lock(&queue->mutex);
  for (size_t i = 0; i < queue->size; ++i) queue->heap[i]->due_nanos = kForced; /* all equal: still a heap */
  if (queue->size > 0) ensure_threads(queue);
  wake_threads(queue);
  pthread_mutex_unlock(&queue->mutex);
}

void deadline_queue_stop(struct deadline_queue* queue) {
  pthread_mutex_lock(&queue->mutex);
  while (queue->stopping)
    pthread_cond_wait(&queue->changed, &queue->mutex); /* another environment is stopping the queue */
  if (queue->thread_count > 0) {
    queue->stopping = true;
    wake_threads(queue);
    pthread_mutex_unlock(&queue->mutex);
    /* Only this function changes the threads while `stopping` is set. */
    for (size_t i = 0; i < queue->thread_count; ++i) pthread_join(queue->threads[i], NULL);
    pthread_mutex_lock(&queue->mutex);
    queue->stopping = false;
    queue->thread_count = 0;
    if (has_runnable(queue)) ensure_threads(queue); /* added by another environment meanwhile */
    if (queue->size == 0) {
      free(queue->heap);
      queue->heap = NULL;
      queue->capacity = 0;
    }
    wake_threads(queue);
  }
  pthread_mutex_unlock(&queue->mutex);
}

struct deadline_entry* deadline_queue_take(struct deadline_queue* queue) {
  struct deadline_entry* entry;
  pthread_mutex_lock(&queue->mutex);
  entry = queue->size > 0 ? pop(queue) : NULL;
  pthread_mutex_unlock(&queue->mutex);
  return entry;
}

size_t deadline_queue_threads(struct deadline_queue* queue) {
  size_t threads;
  pthread_mutex_lock(&queue->mutex);
  threads = queue->thread_count;
  pthread_mutex_unlock(&queue->mutex);
  return threads;
}
