// A claim that every input has to keep.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace openssl_async::fuzz {

// The fuzzer keeps the input of a process that aborts.
inline void Require(bool holds, const char* claim) {
  if (holds) return;
  fprintf(stderr, "fuzz: this does not hold: %s\n", claim);
  abort();
}

}  // namespace openssl_async::fuzz
