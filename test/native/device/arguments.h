/* Reads a JavaScript argument: bytes that are aligned for any type, or null. */
#ifndef TEST_DEVICE_ARGUMENTS_H_
#define TEST_DEVICE_ARGUMENTS_H_

#include <stddef.h>
#include <stdint.h>

static inline int32_t integer_argument(const void* args, int32_t otherwise) {
  return args == NULL ? otherwise : *(const int32_t*)args;
}

#endif
