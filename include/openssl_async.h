/*
 * openssl-async: hand a C function to JavaScript as a job function.
 *
 * Include this header in an addon of your own, wrap the function with
 * openssl_async_create_job_function(), and pass the resulting value to
 * nativeJobFunction() of the openssl-async package.
 *
 * The function runs on an OpenSSL job's stack (see ASYNC_start_job(3)):
 *
 *  - `args` points to a private copy of the bytes that JavaScript passed, aligned
 *    for any type, or is NULL when it passed none. The copy lives until the
 *    function returns.
 *  - It may call ASYNC_pause_job(), ASYNC_get_current_job() and so on. After every
 *    ASYNC_pause_job() it must check whether the awaited event has happened: a
 *    resume is a hint, never a promise.
 *  - It must not call into JavaScript or Node-API, must not hold a lock over a
 *    pause, and should keep its locals small: the stack may be 32 KiB.
 *  - Its return value becomes `returnValue`.
 */
#ifndef OPENSSL_ASYNC_H_
#define OPENSSL_ASYNC_H_

#include <node_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A job function, with the signature of ASYNC_start_job()'s `func`. */
typedef int (*openssl_async_job_function)(void *args);

/** Type tag of the external values that nativeJobFunction() accepts. */
static const napi_type_tag openssl_async_job_function_tag = {0x6f70656e73736c2dULL, 0x6173796e632d6a6fULL};

/**
 * Wraps `function` in an external value for nativeJobFunction(). The module that
 * contains the function must stay loaded while jobs may run it.
 */
static inline napi_status openssl_async_create_job_function(napi_env env, openssl_async_job_function function,
                                                            napi_value *result) {
  union {
    openssl_async_job_function function;
    void *data;
  } pointer;
  napi_status status;
  pointer.function = function;
  status = napi_create_external(env, pointer.data, NULL, NULL, result);
  if (status != napi_ok) return status;
  return napi_type_tag_object(env, *result, &openssl_async_job_function_tag);
}

#ifdef __cplusplus
}
#endif

#endif /* OPENSSL_ASYNC_H_ */
