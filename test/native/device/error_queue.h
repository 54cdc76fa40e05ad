/* See test/support/device.ts. */
#ifndef TEST_DEVICE_ERROR_QUEUE_H_
#define TEST_DEVICE_ERROR_QUEUE_H_

#include <node_api.h>

napi_value leave_error(napi_env env, napi_callback_info info);
napi_value take_errors(napi_env env, napi_callback_info info);

#endif
