/* Uses the given number of bytes of stack, whether they exist or not. */
#include <stddef.h>
#include <stdint.h>

#include "arguments.h"
#include "functions.h"

enum { FRAME_BYTES = 512 };

/* Touches every part of its frame: no guard page can be stepped over. The addition keeps it from being a loop. */
__attribute__((noinline)) static int consume(int32_t bytes) {
  volatile char frame[FRAME_BYTES];
  for (size_t i = 0; i < sizeof(frame); i += 64) frame[i] = 1;
  return bytes <= FRAME_BYTES ? frame[0] : consume(bytes - FRAME_BYTES) + frame[0] - 1;
}

int overflow_stack(void* args) { return consume(integer_argument(args, 1 << 20)); }
