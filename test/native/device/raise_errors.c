/* A job whose error queue and errno are its own, although both belong to the thread. */
#include <errno.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "functions.h"
#include "notify.h"

struct error_request {
  int32_t tag;
  int32_t pauses;
};

enum { MAX_DATA = 48 };

/* One to five, so that jobs side by side differ in number too. */
static int errors_of(int32_t tag) { return 1 + (int)((uint32_t)tag % 5); }

static int reason_of(int32_t tag, int index) { return 1 + (int)(((uint32_t)tag * 5 + (uint32_t)index) % 4000); }

static int errno_of(int32_t tag) { return 1 + (int)((uint32_t)tag % 100); }

static void describe(char* data, int32_t tag, int index) {
  snprintf(data, MAX_DATA, "error %d of job %d", index, (int)tag);
}

static void raise_all(int32_t tag) {
  char data[MAX_DATA];
  for (int i = 0; i < errors_of(tag); ++i) {
    describe(data, tag, i);
    ERR_new();
    ERR_set_debug(__FILE__, i + 1, "raise_errors");
    ERR_set_error(ERR_LIB_USER, reason_of(tag, i), "%s", data);
  }
}

/* Empties the queue. */
static bool take_all(int32_t tag) {
  char expected[MAX_DATA];
  bool intact = true;
  for (int i = 0; i < errors_of(tag); ++i) {
    const char* data = "";
    const char* function = "";
    int line = 0;
    int flags = 0;
    unsigned long code = ERR_get_error_all(NULL, &line, &function, &data, &flags);
    describe(expected, tag, i);
    intact = intact && ERR_GET_LIB(code) == ERR_LIB_USER && ERR_GET_REASON(code) == reason_of(tag, i) &&
             line == i + 1 && strcmp(function, "raise_errors") == 0 && (flags & ERR_TXT_STRING) != 0 &&
             strcmp(data, expected) == 0;
  }
  intact = intact && ERR_peek_error() == 0;
  ERR_clear_error();
  return intact;
}

int raise_errors(void* args) {
  const struct error_request* request = args;
  bool intact = true;
  if (request == NULL || request->pauses < 0) return -1;
  raise_all(request->tag);
  for (int32_t i = 0; i < request->pauses; ++i) {
    struct self_wake self;
    int seen;
    if (!self_wake_begin(&self)) return -1;
    errno = errno_of(request->tag);
    ASYNC_pause_job();
    seen = errno;
    self_wake_end(&self);
    intact = take_all(request->tag) && intact && seen == errno_of(request->tag);
    raise_all(request->tag);
  }
  return take_all(request->tag) && intact;
}
