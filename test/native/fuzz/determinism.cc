#define OPENSSL_SUPPRESS_DEPRECATED  // providers of randomness cannot be begun anew
#include "determinism.h"

#include <openssl/rand.h>

#include <cstdint>
#include <ctime>

// Takes the place of the C library's function, for OpenSSL too: tickets have the time in them.
extern "C" time_t time(time_t* out) noexcept {
  constexpr time_t kNow = 1'800'000'000;
  if (out != nullptr) *out = kNow;
  return kNow;
}

namespace openssl_async::fuzz {

namespace {

uint64_t state;

// Splitmix64.
uint64_t Next() {
  uint64_t mixed = state += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

int Fill(unsigned char* bytes, int size) {
  for (int i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(Next());
  return 1;
}

int Seed(const void*, int) { return 1; }
int Add(const void*, int, double) { return 1; }
int Status() { return 1; }

}  // namespace

void SeedRandomness() {
  static const RAND_METHOD method = {&Seed, &Fill, nullptr, &Add, &Fill, &Status};
  static const int is_set = RAND_set_rand_method(&method);
  static_cast<void>(is_set);
  state = 1;
}

}  // namespace openssl_async::fuzz
