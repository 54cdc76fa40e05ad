/*
 * The trials of the benchmark as a plain C application does them: ASYNC_start_job() from an epoll loop.
 *
 *   baseline TRIAL IN_FLIGHT SECONDS [OPS_PER_JOB]
 *
 * prints one line of JSON. The jobs themselves are in native/workload.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <inttypes.h>
#include <openssl/async.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "native/workload.h"

enum {
  kMaxEvents = 1024,
  kStepsPerClock = 16,
  kMaxWaitMs = 100,
};
static const uint64_t kTurnBudgetNs = 2000000; /* then the loop looks at its fds again */
static const uint64_t kRetryNs = 1000000;

/* A wait context and the job that has it. */
struct slot {
  ASYNC_JOB* job;
  ASYNC_WAIT_CTX* context;
  workload_slot* work;
  struct slot* next; /* in one of the lists */
  uint64_t due_ns;
  enum { kRunning, kWaiting, kReady } state;
  int called_back; /* while running */
  int retried;
  _Atomic(struct slot*) next_pushed;
};

struct list {
  struct slot* first;
  struct slot** last;
};

static struct slot* slots;
static struct list ready = {NULL, &ready.first};
static struct list retrying = {NULL, &retrying.first}; /* in the order of their due times */
static size_t live;
static uint64_t pauses;
static uint64_t now_ns;

static int epoll_fd;
static int pushed_fd;
static pthread_t loop_thread;
static _Atomic(struct slot*) pushed; /* by other threads; newest first */

static void fail(const char* what) {
  fprintf(stderr, "baseline: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void push(struct list* list, struct slot* slot) {
  slot->next = NULL;
  *list->last = slot;
  list->last = &slot->next;
}

static struct slot* pop(struct list* list) {
  struct slot* slot = list->first;
  list->first = slot->next;
  if (list->first == NULL) list->last = &list->first;
  return slot;
}

static void make_ready(struct slot* slot) {
  slot->state = kReady;
  push(&ready, slot);
}

/* The callback of every wait context. */
static int on_callback(void* arg) {
  struct slot* slot = arg;
  struct slot* head;
  const uint64_t one = 1;
  if (pthread_equal(pthread_self(), loop_thread)) {
    if (slot->state == kRunning) {
      slot->called_back = 1;
    } else if (slot->state == kWaiting) {
      make_ready(slot);
    }
    return 1;
  }
  head = atomic_load_explicit(&pushed, memory_order_relaxed);
  do {
    atomic_store_explicit(&slot->next_pushed, head, memory_order_relaxed);
  } while (!atomic_compare_exchange_weak_explicit(&pushed, &head, slot, memory_order_release, memory_order_relaxed));
  if (head == NULL && write(pushed_fd, &one, sizeof(one)) != sizeof(one)) fail("eventfd");
  return 1;
}

static void take_pushed(void) {
  struct slot* newest;
  struct slot* oldest = NULL;
  uint64_t count;
  if (read(pushed_fd, &count, sizeof(count)) != sizeof(count) && errno != EAGAIN) fail("eventfd");
  newest = atomic_exchange_explicit(&pushed, NULL, memory_order_acquire);
  while (newest != NULL) {
    struct slot* next = atomic_load_explicit(&newest->next_pushed, memory_order_relaxed);
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != NULL) {
    struct slot* next = oldest->next;
    if (oldest->state == kWaiting) make_ready(oldest);
    oldest = next;
  }
}

static void register_fds(struct slot* slot) {
  OSSL_ASYNC_FD added[4];
  OSSL_ASYNC_FD deleted[4];
  size_t added_count = 0;
  size_t deleted_count = 0;
  size_t i;
  if (!ASYNC_WAIT_CTX_get_changed_fds(slot->context, NULL, &added_count, NULL, &deleted_count)) fail("changed fds");
  if (added_count == 0 && deleted_count == 0) return;
  if (added_count > 4 || deleted_count > 4) fail("too many fds");
  ASYNC_WAIT_CTX_get_changed_fds(slot->context, added, &added_count, deleted, &deleted_count);
  for (i = 0; i < deleted_count; ++i) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, deleted[i], NULL);
  for (i = 0; i < added_count; ++i) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = slot}};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, added[i], &event) != 0) fail("epoll_ctl");
  }
}

static void await(struct slot* slot) {
  size_t fds = 0;
  slot->state = kWaiting;
  register_fds(slot);
  if (slot->called_back) {
    make_ready(slot);
    return;
  }
  if (ASYNC_WAIT_CTX_get_status(slot->context) == ASYNC_STATUS_OK) return;
  ASYNC_WAIT_CTX_get_all_fds(slot->context, NULL, &fds);
  if (fds > 0) return;
  if (!slot->retried) {
    slot->retried = 1;
    make_ready(slot);
    return;
  }
  slot->due_ns = now_ns + kRetryNs;
  push(&retrying, slot);
}

/* Starts or resumes; a job that ends makes room for the next. */
static void step(struct slot* slot) {
  int result = 0;
  slot->state = kRunning;
  slot->called_back = 0;
  switch (ASYNC_start_job(&slot->job, slot->context, &result, workload_job, &slot->work, sizeof(slot->work))) {
    case ASYNC_PAUSE:
      ++pauses;
      await(slot);
      break;
    case ASYNC_FINISH:
      if (!result) fail("a job failed");
      slot->job = NULL;
      slot->retried = 0;
      ASYNC_WAIT_CTX_set_status(slot->context, ASYNC_STATUS_UNSUPPORTED);
      if (workload_over()) {
        --live;
      } else {
        make_ready(slot);
      }
      break;
    default:
      fail("ASYNC_start_job");
  }
}

static void run_ready(void) {
  const uint64_t deadline_ns = now_ns + kTurnBudgetNs;
  unsigned steps = 0;
  while (ready.first != NULL) {
    step(pop(&ready));
    if (++steps % kStepsPerClock != 0) continue;
    now_ns = workload_now_ns();
    if (now_ns >= deadline_ns) return;
  }
}

static int wait_ms(void) {
  if (ready.first != NULL) return 0;
  if (retrying.first == NULL) return kMaxWaitMs;
  if (retrying.first->due_ns <= now_ns) return 0;
  return (int)((retrying.first->due_ns - now_ns + 999999) / 1000000);
}

static void run_loop(size_t in_flight) {
  struct epoll_event events[kMaxEvents];
  for (live = 0; live < in_flight; ++live) make_ready(&slots[live]);
  while (live > 0) {
    int count;
    int i;
    run_ready();
    if (live == 0) return;
    count = epoll_wait(epoll_fd, events, kMaxEvents, wait_ms());
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (i = 0; i < count; ++i) {
      struct slot* slot = events[i].data.ptr;
      if (slot == NULL) {
        take_pushed();
      } else if (slot->state == kWaiting) {
        make_ready(slot);
      }
    }
    now_ns = workload_now_ns();
    while (retrying.first != NULL && retrying.first->due_ns <= now_ns) make_ready(pop(&retrying));
  }
}

/* All jobs in turn, until each has ended after the time was over. */
static void run_directly(size_t in_flight) {
  size_t running = in_flight;
  while (running > 0) {
    size_t i;
    running = 0;
    for (i = 0; i < in_flight; ++i) {
      struct slot* slot = &slots[i];
      int result = 0;
      if (slot->job == NULL && workload_over()) continue;
      switch (ASYNC_start_job(&slot->job, slot->context, &result, workload_job, &slot->work, sizeof(slot->work))) {
        case ASYNC_PAUSE:
          ++pauses;
          break;
        case ASYNC_FINISH:
          if (!result) fail("a job failed");
          slot->job = NULL;
          break;
        default:
          fail("ASYNC_start_job");
      }
      ++running;
    }
  }
}

int main(int argc, char** argv) {
  const char* trial = argc > 1 ? argv[1] : "";
  const size_t in_flight = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  const double seconds = argc > 3 ? strtod(argv[3], NULL) : 0;
  const unsigned ops_per_job = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1;
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
  workload_result result;
  size_t i;

  if (argc < 4 || argc > 5 || seconds <= 0 || !workload_begin(trial, in_flight, seconds, ops_per_job)) {
    fprintf(stderr, "usage: baseline TRIAL IN_FLIGHT SECONDS [OPS_PER_JOB]\n");
    return 2;
  }
  loop_thread = pthread_self();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  pushed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (epoll_fd < 0 || pushed_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pushed_fd, &event) != 0) fail("epoll");
  slots = calloc(in_flight, sizeof(*slots));
  if (slots == NULL) fail("calloc");
  for (i = 0; i < in_flight; ++i) {
    slots[i].context = ASYNC_WAIT_CTX_new();
    slots[i].work = workload_slot_at(i);
    if (slots[i].context == NULL || !ASYNC_WAIT_CTX_set_callback(slots[i].context, on_callback, &slots[i])) {
      fail("ASYNC_WAIT_CTX_new");
    }
  }
  now_ns = workload_now_ns();
  if (workload_is_direct()) {
    run_directly(in_flight);
  } else {
    run_loop(in_flight);
  }
  workload_end(&result);
  for (i = 0; i < in_flight; ++i) ASYNC_WAIT_CTX_free(slots[i].context);
  free(slots);
  close(pushed_fd);
  close(epoll_fd);
  ASYNC_cleanup_thread();

  printf("{\"trial\":\"%s\",\"inFlight\":%zu,\"nsPerOp\":%.2f,\"bytesPerJob\":%.0f,\"ops\":%" PRIu64
         ",\"pausesPerOp\":%.4f,\"openssl\":\"%s\"}\n",
         trial, in_flight, result.ns_per_op, result.bytes_per_job, result.ops,
         (double)pauses / (double)(result.all_ops == 0 ? 1 : result.all_ops), OpenSSL_version(OPENSSL_VERSION_STRING));
  return 0;
}
