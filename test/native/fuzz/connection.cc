// Fuzzes a connection against libssl's own client; see steps.h.
#include <sanitizer/allocator_interface.h>

#include <cstddef>
#include <cstdint>

#include "determinism.h"
#include "play.h"
#include "require.h"

namespace openssl_async::fuzz {

namespace {

// The memory that is left afterwards.
size_t Remainder(ByteView script) {
  const size_t before = __sanitizer_get_current_allocated_bytes();
  SeedRandomness();
  Play(script).Run();
  const size_t after = __sanitizer_get_current_allocated_bytes();
  return after > before ? after - before : 0;
}

}  // namespace

}  // namespace openssl_async::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // Certificates are made by the first connection: they are the same in each run, too.
  openssl_async::fuzz::SeedRandomness();
  const unsigned char all[] = {0x1c, 0x70};
  openssl_async::fuzz::Play({all, sizeof(all)}).Run();
  return 0;
}

// Memory that OpenSSL keeps once and for all is no leak: it remains after the first time only.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int kTries = 3;
  int tries = 0;
  while (tries < kTries && openssl_async::fuzz::Remainder({data, size}) > 0) ++tries;
  openssl_async::fuzz::Require(tries < kTries, "all memory comes back");
  return 0;
}
