/* The contents of a thread's OpenSSL error queue, for tests that it is left as it was. */
#include "error_queue.h"

#include <openssl/err.h>

napi_value leave_error(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  int32_t reason = 0;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      napi_get_value_int32(env, argument, &reason) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "leaveError() takes an integer");
    return NULL;
  }
  ERR_raise(ERR_LIB_USER, reason);
  return NULL;
}

napi_value take_errors(napi_env env, napi_callback_info info) {
  napi_value errors;
  unsigned long code;
  (void)info;
  if (napi_create_array(env, &errors) != napi_ok) return NULL;
  for (uint32_t i = 0; (code = ERR_get_error()) != 0; ++i) {
    char text[256];
    napi_value line;
    ERR_error_string_n(code, text, sizeof(text));
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &line) != napi_ok ||
        napi_set_element(env, errors, i, line) != napi_ok) {
      return NULL;
    }
  }
  return errors;
}
