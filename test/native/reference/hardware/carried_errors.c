#include "carried_errors.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

void carried_errors_take(struct carried_errors* carried) {
  const char* file;
  const char* function;
  const char* data;
  int line;
  int flags;
  unsigned long code;
  carried->count = 0;
  while ((code = ERR_get_error_all(&file, &line, &function, &data, &flags)) != 0) {
    if (carried->count == CARRIED_ERRORS) continue;
    carried->errors[carried->count].code = code;
    carried->errors[carried->count].file = OPENSSL_strdup(file);
    carried->errors[carried->count].line = line;
    carried->errors[carried->count].function = OPENSSL_strdup(function);
    carried->errors[carried->count].data = (flags & ERR_TXT_STRING) != 0 ? OPENSSL_strdup(data) : NULL;
    ++carried->count;
  }
}

void carried_errors_raise(struct carried_errors* carried) {
  for (size_t i = 0; i < carried->count; ++i) {
    unsigned long code = carried->errors[i].code;
    const char* data = carried->errors[i].data;
    ERR_new();
    ERR_set_debug(carried->errors[i].file, carried->errors[i].line, carried->errors[i].function);
    if (data == NULL) {
      ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), NULL);
    } else {
      ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), "%s", data);
    }
    OPENSSL_free(carried->errors[i].file);
    OPENSSL_free(carried->errors[i].function);
    OPENSSL_free(carried->errors[i].data);
  }
  carried->count = 0;
}
