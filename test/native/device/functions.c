#include "functions.h"

#include <openssl/async.h>
#include <string.h>

#include "arguments.h"
#include "device.h"
#include "notify.h"

int run_empty(void* args) {
  (void)args;
  return 1;
}

int return_argument(void* args) { return integer_argument(args, -1); }

int has_argument(void* args) { return args != NULL; }

int count_bytes(void* args) {
  const unsigned char* bytes = args;
  uint32_t sum = 0;
  uint64_t length;
  if (bytes == NULL) return -1;
  memcpy(&length, bytes, sizeof(length));
  bytes += sizeof(length);
  for (uint64_t i = 0; i < length; ++i) sum = sum * 31 + bytes[i];
  return (int)(sum & 0x7fffffff);
}

int pause_once(void* args) {
  (void)args;
  return ASYNC_pause_job();
}

int wake_itself(void* args) {
  (void)args;
  return pause_with_self_wake();
}

int inspect_job(void* args) {
  ASYNC_JOB* job = ASYNC_get_current_job();
  ASYNC_WAIT_CTX* context;
  (void)args;
  if (job == NULL || !ASYNC_is_capable()) return 0;
  context = ASYNC_get_wait_ctx(job);
  return context != NULL && pause_with_self_wake() && ASYNC_get_current_job() == job &&
         ASYNC_get_wait_ctx(job) == context;
}

int call_back_late(void* args) {
  ASYNC_WAIT_CTX* context = current_wait_context();
  int32_t delay_millis = integer_argument(args, -1);
  struct notification notification;
  if (context == NULL || delay_millis < 0) return -1;
  notification = notification_of(context);
  return notification.callback != NULL && device_call_back_late(notification, delay_millis);
}
