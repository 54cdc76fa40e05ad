/*
 * OpenSSL as it is compiled where threads have no contexts to switch, for example with musl: crypto/async/arch/
 * async_null.h. The addon of npm run test:without-jobs calls these functions instead of the process's.
 */
#include <openssl/async.h>

#include <stdio.h>
#include <stdlib.h>

static void fail(const char* name) {
  fprintf(stderr, "%s() was called in a process without jobs\n", name);
  abort();
}

int ASYNC_is_capable(void) { return 0; }

/* OpenSSL would return an error. The addon is to refuse before. */
int ASYNC_init_thread(size_t max_size, size_t init_size) {
  (void)max_size, (void)init_size;
  fail("ASYNC_init_thread");
  return 0;
}

int ASYNC_start_job(ASYNC_JOB** job, ASYNC_WAIT_CTX* context, int* result, int (*function)(void*), void* args,
                    size_t size) {
  (void)job, (void)context, (void)result, (void)function, (void)args, (void)size;
  fail("ASYNC_start_job");
  return ASYNC_ERR;
}

ASYNC_JOB* ASYNC_get_current_job(void) { return NULL; }

/* "Could be we've deliberately not been started within a job so this is counted as success": async.c. */
int ASYNC_pause_job(void) { return 1; }
