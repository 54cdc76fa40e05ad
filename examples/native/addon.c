/* What JavaScript sees of the signer: examples/native-function.ts has the types. */
#include <node_api.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>

#include "openssl_async.h"
#include "signer.h"

static napi_value throw_error(napi_env env, const char* message) {
  napi_throw_error(env, NULL, message);
  return NULL;
}

static bool get_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value* arguments) {
  size_t count = wanted;
  return napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count >= wanted;
}

static _Thread_local bool is_hooked;
static pthread_once_t exit_handler = PTHREAD_ONCE_INIT;

static void on_environment_gone(void* unused) {
  (void)unused;
  is_hooked = false;
  signer_shut_down();
}

/* process.exit() ends the main thread without that, but OpenSSL frees what the signer's threads use. */
static void add_exit_handler(void) { atexit(signer_shut_down); }

/* An environment may load the addon more than once, but takes a hook only once. */
static bool hook_environment(napi_env env) {
  pthread_once(&exit_handler, add_exit_handler);
  if (!is_hooked) is_hooked = napi_add_env_cleanup_hook(env, on_environment_gone, NULL) == napi_ok;
  return is_hooked;
}

/* setUp(key: DER, threads, maxRequests) */
static napi_value set_up(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  void* der;
  size_t der_length;
  uint32_t threads;
  uint32_t max_requests;
  const unsigned char* position;
  EVP_PKEY* key;
  if (!get_arguments(env, info, 3, arguments) ||
      napi_get_buffer_info(env, arguments[0], &der, &der_length) != napi_ok ||
      napi_get_value_uint32(env, arguments[1], &threads) != napi_ok ||
      napi_get_value_uint32(env, arguments[2], &max_requests) != napi_ok || der_length > INT32_MAX) {
    return throw_error(env, "setUp() takes a DER-encoded private key, a number of threads and of requests");
  }
  position = der;
  key = d2i_AutoPrivateKey(NULL, &position, (long)der_length);
  if (key == NULL) return throw_error(env, "setUp(): this is no private key");
  if (!signer_set_up(key, threads, max_requests)) return throw_error(env, "setUp(): the signer cannot be made");
  return NULL;
}

static napi_value shut_down(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  signer_shut_down();
  return NULL;
}

/* prepare(message): number */
static napi_value prepare(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value result;
  void* message;
  size_t length;
  uint32_t request;
  if (!get_arguments(env, info, 1, &argument) || napi_get_buffer_info(env, argument, &message, &length) != napi_ok) {
    return throw_error(env, "prepare() takes the bytes to sign");
  }
  if (!signer_prepare(message, length, &request)) return throw_error(env, "prepare(): no room for a request");
  return napi_create_uint32(env, request, &result) == napi_ok ? result : NULL;
}

/* take(request): Buffer | undefined, the signature, if there is one; the request's room is free then */
static napi_value take(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_value result = NULL;
  uint32_t request;
  size_t length;
  const unsigned char* signature;
  if (!get_arguments(env, info, 1, &argument) || napi_get_value_uint32(env, argument, &request) != napi_ok) {
    return throw_error(env, "take() takes a request");
  }
  signature = signer_signature(request, &length);
  if (signature != NULL && napi_create_buffer_copy(env, length, signature, NULL, &result) != napi_ok) return NULL;
  if (!signer_release(request)) return throw_error(env, "take(): there is no such request, or its job is running");
  return result;
}

NAPI_MODULE_INIT() {
  static const napi_property_descriptor kMethods[] = {
      {"setUp", NULL, set_up, NULL, NULL, NULL, napi_enumerable, NULL},
      {"shutDown", NULL, shut_down, NULL, NULL, NULL, napi_enumerable, NULL},
      {"prepare", NULL, prepare, NULL, NULL, NULL, napi_enumerable, NULL},
      {"take", NULL, take, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_value sign;
  if (openssl_async_create_job_function(env, signer_run_job, &sign) != napi_ok ||
      napi_set_named_property(env, exports, "sign", sign) != napi_ok ||
      napi_define_properties(env, exports, sizeof(kMethods) / sizeof(kMethods[0]), kMethods) != napi_ok ||
      !hook_environment(env)) {
    return throw_error(env, "cannot initialise the demo's signer");
  }
  return exports;
}
