#ifdef __linux__

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "workload.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct workload_slot {
  workload_slot* next; /* in the device's queue */
  ASYNC_callback_fn callback;
  void* callback_arg;
  atomic_bool done;
};

/* Waits for one operation on a job's stack; 0 on failure. */
typedef int (*wait_function)(workload_slot* slot, ASYNC_WAIT_CTX* context);

static struct {
  wait_function wait; /* NULL for a job that does not pause */
  int direct;
  unsigned ops_per_job;
  size_t in_flight;
  workload_slot* slots;

  /* The clock is read once in so many operations. */
  uint64_t clock_mask;
  uint64_t seconds_ns;
  uint64_t warm_until_ns;
  uint64_t began_ns; /* of the measurement; 0 during the warm-up */
  uint64_t ended_ns;
  uint64_t began_ops;
  uint64_t ended_ops;
  uint64_t ops;
  int over;

  size_t held;
  size_t rss_before;
  size_t rss_after;
} trial;

/* A thread that calls the callbacks of what was submitted. */
static struct {
  pthread_t thread;
  int running;
  pthread_mutex_t mutex;
  pthread_cond_t submitted;
  int stopping;
  workload_slot* first;
  workload_slot** last;
} device = {.mutex = PTHREAD_MUTEX_INITIALIZER, .submitted = PTHREAD_COND_INITIALIZER};

uint64_t workload_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void check_clock(void) {
  uint64_t now = workload_now_ns();
  if (trial.began_ns == 0) {
    if (now < trial.warm_until_ns || trial.ops < 2 * trial.in_flight) return;
    trial.began_ns = now;
    trial.began_ops = trial.ops;
  } else if (!trial.over && now - trial.began_ns >= trial.seconds_ns) {
    trial.ended_ns = now;
    trial.ended_ops = trial.ops;
    trial.over = 1;
  }
}

/* Small enough for a job's stack. */
static size_t resident_bytes(void) {
  char text[128];
  char* end = text;
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  strtoul(text, &end, 10);
  return strtoul(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- The device's thread */

static void* device_main(void* unused) {
  (void)unused;
  pthread_mutex_lock(&device.mutex);
  for (;;) {
    workload_slot* slot = device.first;
    if (slot == NULL) {
      if (device.stopping) break;
      pthread_cond_wait(&device.submitted, &device.mutex);
      continue;
    }
    device.first = NULL;
    device.last = &device.first;
    pthread_mutex_unlock(&device.mutex);
    while (slot != NULL) {
      workload_slot* next = slot->next;
      ASYNC_callback_fn callback = slot->callback;
      void* callback_arg = slot->callback_arg;
      atomic_store_explicit(&slot->done, 1, memory_order_release);
      callback(callback_arg); /* from `done` on, the slot may be in use again */
      slot = next;
    }
    pthread_mutex_lock(&device.mutex);
  }
  pthread_mutex_unlock(&device.mutex);
  return NULL;
}

static void device_submit(workload_slot* slot) {
  int was_empty;
  slot->next = NULL;
  atomic_store_explicit(&slot->done, 0, memory_order_relaxed);
  pthread_mutex_lock(&device.mutex);
  was_empty = device.first == NULL;
  *device.last = slot;
  device.last = &slot->next;
  pthread_mutex_unlock(&device.mutex);
  if (was_empty) pthread_cond_signal(&device.submitted);
}

/* --- Ways to wait */

static int wait_for_nothing(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  (void)slot, (void)context;
  return ASYNC_pause_job();
}

static void close_fd(ASYNC_WAIT_CTX* context, const void* key, OSSL_ASYNC_FD fd, void* unused) {
  (void)context, (void)key, (void)unused;
  close(fd);
}

static int wait_for_fd(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  static const char key;
  uint64_t value = 1;
  OSSL_ASYNC_FD fd;
  void* custom;
  (void)slot;
  if (!ASYNC_WAIT_CTX_get_fd(context, &key, &fd, &custom)) {
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) return 0;
    if (!ASYNC_WAIT_CTX_set_wait_fd(context, &key, fd, NULL, close_fd)) {
      close(fd);
      return 0;
    }
  }
  if (write(fd, &value, sizeof(value)) != sizeof(value)) return 0;
  do {
    if (!ASYNC_pause_job()) return 0;
  } while (read(fd, &value, sizeof(value)) != sizeof(value));
  return 1;
}

static int take_callback(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  if (!ASYNC_WAIT_CTX_get_callback(context, &slot->callback, &slot->callback_arg) || slot->callback == NULL) return 0;
  return ASYNC_WAIT_CTX_set_status(context, ASYNC_STATUS_OK);
}

static int wait_for_own_callback(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  if (!take_callback(slot, context)) return 0;
  slot->callback(slot->callback_arg);
  return ASYNC_pause_job();
}

static int wait_for_foreign_callback(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  if (!take_callback(slot, context)) return 0;
  device_submit(slot);
  do {
    if (!ASYNC_pause_job()) return 0;
  } while (!atomic_load_explicit(&slot->done, memory_order_acquire));
  return 1;
}

/* The first resume may come at once, on suspicion; only the second one shows what waiting costs. */
static int wait_unnotified(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  (void)slot, (void)context;
  return ASYNC_pause_job() && ASYNC_pause_job();
}

/* The last of all reads the process's size, and lets all of them go. */
static int wait_for_all(workload_slot* slot, ASYNC_WAIT_CTX* context) {
  if (!take_callback(slot, context)) return 0;
  if (++trial.held == trial.in_flight) {
    size_t i;
    trial.rss_after = resident_bytes();
    trial.over = 1;
    for (i = 0; i < trial.in_flight; ++i) trial.slots[i].callback(trial.slots[i].callback_arg);
  }
  do {
    if (!ASYNC_pause_job()) return 0;
  } while (!trial.over);
  return 1;
}

static const struct {
  const char* name;
  wait_function wait;
  int direct;
  int fast; /* an operation costs little even with one job in flight */
} kTrials[] = {
    {"start-finish", NULL, 1, 1},
    {"pause-resume", wait_for_nothing, 1, 1},
    {"fd", wait_for_fd, 0, 0},
    {"callback-same-thread", wait_for_own_callback, 0, 1},
    {"callback-other-thread", wait_for_foreign_callback, 0, 0},
    {"no-notification", wait_unnotified, 0, 0},
    {"memory", wait_for_all, 0, 0},
};

/* --- What the drivers call */

int workload_job(void* args) {
  workload_slot* slot = *(workload_slot**)args;
  unsigned left = trial.ops_per_job;
  ASYNC_WAIT_CTX* context = NULL;
  if (trial.wait != NULL) context = ASYNC_get_wait_ctx(ASYNC_get_current_job());
  do {
    if (trial.wait != NULL && !trial.wait(slot, context)) return 0;
    if ((++trial.ops & trial.clock_mask) == 0) check_clock();
  } while (--left > 0 && !trial.over);
  return 1;
}

int workload_begin(const char* name, size_t in_flight, double seconds, unsigned ops_per_job) {
  struct rlimit files;
  size_t i;
  size_t found = sizeof(kTrials) / sizeof(kTrials[0]);
  for (i = 0; i < sizeof(kTrials) / sizeof(kTrials[0]); ++i) {
    if (strcmp(kTrials[i].name, name) == 0) found = i;
  }
  if (found == sizeof(kTrials) / sizeof(kTrials[0]) || in_flight == 0 || ops_per_job == 0) return 0;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  OPENSSL_init_crypto(0, NULL);
  trial.rss_before = resident_bytes();
  trial.wait = kTrials[found].wait;
  trial.direct = kTrials[found].direct;
  trial.in_flight = in_flight;
  /* Without a loop, a job that pauses goes on to the end. */
  trial.ops_per_job = trial.wait == NULL ? 1 : trial.direct ? UINT32_MAX : ops_per_job;
  trial.clock_mask = kTrials[found].fast || in_flight >= 64 ? 63 : 0;
  trial.seconds_ns = (uint64_t)(seconds * 1e9);
  trial.warm_until_ns = workload_now_ns() + trial.seconds_ns / 5;
  trial.slots = calloc(in_flight, sizeof(*trial.slots));
  if (trial.slots == NULL) return 0;
  device.last = &device.first;
  if (trial.wait == wait_for_foreign_callback) {
    if (pthread_create(&device.thread, NULL, device_main, NULL) != 0) return 0;
    device.running = 1;
  }
  return 1;
}

int workload_is_direct(void) { return trial.direct; }

workload_slot* workload_slot_at(size_t index) { return &trial.slots[index]; }

int workload_over(void) { return trial.over; }

void workload_end(workload_result* result) {
  if (device.running) {
    pthread_mutex_lock(&device.mutex);
    device.stopping = 1;
    pthread_cond_signal(&device.submitted);
    pthread_mutex_unlock(&device.mutex);
    pthread_join(device.thread, NULL);
  }
  free(trial.slots);
  memset(result, 0, sizeof(*result));
  result->all_ops = trial.ops;
  result->ops = trial.ended_ops - trial.began_ops;
  if (result->ops > 0) result->ns_per_op = (double)(trial.ended_ns - trial.began_ns) / (double)result->ops;
  if (trial.rss_after > trial.rss_before) {
    result->bytes_per_job = (double)(trial.rss_after - trial.rss_before) / (double)trial.in_flight;
  }
}

#else
typedef int workload_is_for_linux;
#endif
