/* A small reproducible generator (xorshift32): tests choose the seed. */
#ifndef TEST_DEVICE_RANDOM_H_
#define TEST_DEVICE_RANDOM_H_

#include <stdint.h>

struct random {
  uint32_t state;
};

static inline struct random random_seeded(uint32_t seed) {
  struct random random = {seed * 2654435761U ^ 0x9e3779b9U};
  if (random.state == 0) random.state = 1;
  return random;
}

/* Uniform enough for tests, in [0, limit); `limit` is at least 1. */
static inline uint32_t random_below(struct random* random, uint32_t limit) {
  random->state ^= random->state << 13;
  random->state ^= random->state >> 17;
  random->state ^= random->state << 5;
  return (uint32_t)(((uint64_t)random->state * limit) >> 32);
}

#endif
