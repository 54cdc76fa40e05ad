/* How a job waits for the device: the part that authors of engines look for. */
#ifndef TEST_REFERENCE_PAUSE_H_
#define TEST_REFERENCE_PAUSE_H_

#include <stdatomic.h>

#include "hardware.h"
#include "ring.h"

struct pause_counters {
  atomic_ullong pauses;
  atomic_ullong spurious_resumes;
  atomic_ullong retries;
  atomic_ullong synchronous;
};

/* Submits the request and returns when it is complete. */
void pause_while_running(struct ring* ring, struct request* request, enum hardware_mode mode,
                         struct pause_counters* counters);

#endif
