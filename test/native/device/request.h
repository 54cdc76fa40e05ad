/*
 * A request to the simulated accelerator. test/support/device.ts writes this layout: little-endian 32-bit integers in
 * this order, the native layout of every platform of the tests.
 */
#ifndef TEST_DEVICE_REQUEST_H_
#define TEST_DEVICE_REQUEST_H_

#include <stdint.h>

enum device_mode {
  DEVICE_FD_CACHED = 0,            /* one fd per wait context, kept, closed by the context's clean-up routine */
  DEVICE_FD_FRESH = 1,             /* a new fd per pause, cleared and closed after it */
  DEVICE_FDS_MANY = 2,             /* several fds; a random one is signalled, and replaced before the next pause */
  DEVICE_CALLBACK_SAME_THREAD = 3, /* the callback before the pause, as the dasync engine does; sets no status */
  DEVICE_CALLBACK_THREAD = 4,      /* the callback from a device thread; sets ASYNC_STATUS_OK */
  DEVICE_NONE = 5,                 /* no notification: the job looks at each resume */
  DEVICE_AGAIN = 6,                /* ASYNC_STATUS_EAGAIN `again_count` times, then success; ignores `pauses` */
  DEVICE_STATUS_ERROR = 7,         /* ASYNC_STATUS_ERR, one pause, then failure */
  DEVICE_CALLBACK_OR_FD = 8,       /* the callback where one is set (as mode 4), else an fd (as mode 0) */
  DEVICE_SYNC = 9                  /* no pause at all */
};

enum { DEVICE_MAX_FDS = 64 };

struct device_request {
  int32_t mode;
  int32_t pauses;                /* operations, one after the other; each is waited for with at least one pause */
  int32_t latency_micros;        /* of each operation */
  int32_t latency_spread_micros; /* uniform, added or subtracted */
  int32_t fd_count;              /* DEVICE_FDS_MANY: 1 to DEVICE_MAX_FDS */
  int32_t again_count;           /* DEVICE_AGAIN */
  int32_t fail_every;            /* every n-th request of the process that has one fails: 0 and an error; 0: none */
  int32_t return_value;          /* of a request that succeeds */
  int32_t seed;                  /* of latencies and choices; 0: another one for each request */
};

#endif
