/* The interface to JavaScript: test/support/device.ts has the types. */
#include <node_api.h>
#include <stdlib.h>

#include "counters.h"
#include "device.h"
#include "error_queue.h"
#include "functions.h"
#include "openssl_async.h"
#include "request.h"

static const struct {
  const char* name;
  openssl_async_job_function function;
} kFunctions[] = {
    {"device", run_device_request},   {"empty", run_empty},
    {"returnArg", return_argument},   {"countBytes", count_bytes},
    {"hasArgument", has_argument},    {"pauseOnce", pause_once},
    {"selfWake", wake_itself},        {"nestedStart", inspect_job},
    {"leaveBlocked", leave_blocked},  {"wasBlocked", was_blocked},
    {"raiseErrors", raise_errors},    {"overflowStack", overflow_stack},
    {"closedFd", wait_on_closed_fd},  {"regularFileFd", wait_on_regular_file},
    {"lateCallback", call_back_late}, {"throwException", throw_exception},
};

static const struct {
  const char* name;
  atomic_llong* counter;
} kCounters[] = {
    {"submitted", &device_counters.submitted},
    {"completed", &device_counters.completed},
    {"inFlight", &device_counters.in_flight},
    {"sameThreadCallbacks", &device_counters.same_thread_callbacks},
    {"foreignCallbacks", &device_counters.foreign_callbacks},
    {"fdsOpened", &device_counters.fds_opened},
    {"fdsClosed", &device_counters.fds_closed},
    {"wakesWritten", &device_counters.wakes_written},
    {"spuriousResumes", &device_counters.spurious_resumes},
    {"emptyPolls", &device_counters.empty_polls},
};

/* Throws unless an exception is pending. */
static napi_value fail(napi_env env, const char* message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, message);
  return NULL;
}

static bool set_integer(napi_env env, napi_value object, const char* name, int64_t value) {
  napi_value number;
  return napi_create_int64(env, value, &number) == napi_ok &&
         napi_set_named_property(env, object, name, number) == napi_ok;
}

static napi_value stats(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  if (napi_create_object(env, &result) != napi_ok) return fail(env, "cannot create the statistics");
  for (size_t i = 0; i < sizeof(kCounters) / sizeof(kCounters[0]); ++i) {
    if (!set_integer(env, result, kCounters[i].name, counted(kCounters[i].counter))) {
      return fail(env, "cannot fill in the statistics");
    }
  }
  if (!set_integer(env, result, "threads", (int64_t)device_threads())) {
    return fail(env, "cannot fill in the statistics");
  }
  return result;
}

static napi_value hold_all(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  bool held;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      napi_get_value_bool(env, argument, &held) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "holdAll() takes a boolean");
    return NULL;
  }
  device_hold(held);
  return NULL;
}

static napi_value complete_all(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  device_complete_all();
  return NULL;
}

static napi_value shut_down(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  device_shutdown();
  return NULL;
}

static bool export_functions(napi_env env, napi_value exports) {
  napi_value functions;
  if (napi_create_object(env, &functions) != napi_ok) return false;
  for (size_t i = 0; i < sizeof(kFunctions) / sizeof(kFunctions[0]); ++i) {
    napi_value external;
    if (openssl_async_create_job_function(env, kFunctions[i].function, &external) != napi_ok ||
        napi_set_named_property(env, functions, kFunctions[i].name, external) != napi_ok) {
      return false;
    }
  }
  return napi_set_named_property(env, exports, "functions", functions) == napi_ok;
}

static bool export_methods(napi_env env, napi_value exports) {
  static const napi_property_descriptor kMethods[] = {
      {"stats", NULL, stats, NULL, NULL, NULL, napi_enumerable, NULL},
      {"holdAll", NULL, hold_all, NULL, NULL, NULL, napi_enumerable, NULL},
      {"completeAll", NULL, complete_all, NULL, NULL, NULL, napi_enumerable, NULL},
      {"leaveError", NULL, leave_error, NULL, NULL, NULL, napi_enumerable, NULL},
      {"takeErrors", NULL, take_errors, NULL, NULL, NULL, napi_enumerable, NULL},
      {"shutdown", NULL, shut_down, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  return napi_define_properties(env, exports, sizeof(kMethods) / sizeof(kMethods[0]), kMethods) == napi_ok;
}

static void on_environment_gone(void* token) {
  free(token);
  device_release();
}

/* Each load has a token of its own: an environment may load the addon more than once, and hooks must differ. */
static bool join_environment(napi_env env) {
  void* token = malloc(1);
  if (token == NULL) return false;
  if (napi_add_env_cleanup_hook(env, on_environment_gone, token) != napi_ok) {
    free(token);
    return false;
  }
  device_acquire();
  return true;
}

NAPI_MODULE_INIT() {
  if (!join_environment(env) || !export_functions(env, exports) || !export_methods(env, exports) ||
      !set_integer(env, exports, "requestSize", (int64_t)sizeof(struct device_request))) {
    return fail(env, "cannot initialise the test device");
  }
  return exports;
}
