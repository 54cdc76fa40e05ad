#include "hardware.h"

#include <openssl/err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pause.h"
#include "ring.h"

const char* const hardware_number_names[HARDWARE_NUMBERS] = {"latency-micros", "capacity", "fail-every"};
const char* const hardware_counter_names[HARDWARE_COUNTERS] = {"operations", "pauses",      "spurious-resumes",
                                                               "polls",      "empty-polls", "retries",
                                                               "errors",     "synchronous", "in-flight"};

static const struct {
  int64_t least;
  int64_t most;
  int64_t initial;
} kRanges[HARDWARE_NUMBERS] = {{0, 60000000, 0}, {1, 1000000, 1024}, {0, 1000000000, 0}};

/* In the order of enum hardware_mode. */
static const char* const kModes[] = {"auto",     "callback", "event-fd", "fd",  "blocking",
                                     "unstated", "none",     "poll",     "sync"};

struct hardware {
  struct ring ring;
  atomic_int mode;
  atomic_llong numbers[HARDWARE_NUMBERS];
  struct pause_counters pauses;
  atomic_ullong operations;
  atomic_ullong polls;
  atomic_ullong empty_polls;
  atomic_ullong errors;
};

struct hardware* hardware_new(void) {
  struct hardware* hardware = calloc(1, sizeof(*hardware));
  if (hardware == NULL) return NULL;
  if (!ring_init(&hardware->ring)) {
    free(hardware);
    return NULL;
  }
  for (int i = 0; i < HARDWARE_NUMBERS; ++i) atomic_store(&hardware->numbers[i], kRanges[i].initial);
  return hardware;
}

void hardware_free(struct hardware* hardware) {
  if (hardware == NULL) return;
  ring_destroy(&hardware->ring);
  free(hardware);
}

bool hardware_set_mode(struct hardware* hardware, const char* name) {
  for (int mode = 0; mode < (int)(sizeof(kModes) / sizeof(kModes[0])); ++mode) {
    if (strcmp(name, kModes[mode]) != 0) continue;
    atomic_store(&hardware->mode, mode);
    return true;
  }
  ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the reference hardware has no mode '%s'", name);
  return false;
}

bool hardware_set_number(struct hardware* hardware, enum hardware_number which, int64_t value) {
  if (value >= kRanges[which].least && value <= kRanges[which].most) {
    atomic_store(&hardware->numbers[which], value);
    return true;
  }
  ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "%s of the reference hardware must be %lld to %lld",
                 hardware_number_names[which], (long long)kRanges[which].least, (long long)kRanges[which].most);
  return false;
}

const char* hardware_mode_name(struct hardware* hardware) { return kModes[atomic_load(&hardware->mode)]; }

int64_t hardware_get_number(struct hardware* hardware, enum hardware_number which) {
  return atomic_load(&hardware->numbers[which]);
}

uint64_t hardware_get_counter(struct hardware* hardware, enum hardware_counter which) {
  switch (which) {
    case HARDWARE_OPERATIONS:
      return atomic_load(&hardware->operations);
    case HARDWARE_PAUSES:
      return atomic_load(&hardware->pauses.pauses);
    case HARDWARE_SPURIOUS_RESUMES:
      return atomic_load(&hardware->pauses.spurious_resumes);
    case HARDWARE_POLLS:
      return atomic_load(&hardware->polls);
    case HARDWARE_EMPTY_POLLS:
      return atomic_load(&hardware->empty_polls);
    case HARDWARE_RETRIES:
      return atomic_load(&hardware->pauses.retries);
    case HARDWARE_ERRORS:
      return atomic_load(&hardware->errors);
    case HARDWARE_SYNCHRONOUS:
      return atomic_load(&hardware->pauses.synchronous);
    default: /* HARDWARE_IN_FLIGHT */
      return ring_in_flight(&hardware->ring);
  }
}

void hardware_describe(struct hardware* hardware, char* text, size_t room) {
  size_t used = 0;
  for (int i = 0; i < HARDWARE_COUNTERS && used < room; ++i) {
    int written = snprintf(text + used, room - used, "%s%s=%llu", i == 0 ? "" : " ", hardware_counter_names[i],
                           (unsigned long long)hardware_get_counter(hardware, i));
    if (written < 0) return;
    used += (size_t)written;
  }
}

/* On a thread of the device. */
static int fail(void* argument) {
  (void)argument;
  ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "the reference hardware was told to fail");
  return 0;
}

int hardware_run(struct hardware* hardware, int (*work)(void* argument), void* argument) {
  uint64_t number = atomic_fetch_add(&hardware->operations, 1) + 1;
  uint64_t fail_every = (uint64_t)hardware_get_number(hardware, HARDWARE_FAIL_EVERY);
  struct request request = {.work = work, .argument = argument};
  if (fail_every > 0 && number % fail_every == 0) request.work = fail;
  request.latency_micros = hardware_get_number(hardware, HARDWARE_LATENCY_MICROS);
  request.capacity = (size_t)hardware_get_number(hardware, HARDWARE_CAPACITY);
  pause_while_running(&hardware->ring, &request, atomic_load(&hardware->mode), &hardware->pauses);
  if (request.result <= 0) atomic_fetch_add(&hardware->errors, 1);
  return request.result;
}

int hardware_poll(struct hardware* hardware) {
  int collected = ring_collect(&hardware->ring);
  atomic_fetch_add(&hardware->polls, 1);
  if (collected == 0) atomic_fetch_add(&hardware->empty_polls, 1);
  return collected;
}

bool hardware_is_alive(struct hardware* hardware) {
  return ring_is_alive(&hardware->ring, hardware_get_number(hardware, HARDWARE_LATENCY_MICROS));
}
