// The accelerator as a module that any OpenSSL 3 program can load: `openssl … -provider-path DIR -provider
// accelerator`.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "accelerator/provider.h"
#include "pool/offload.h"

namespace openssl_async {

namespace {

// Shows people who try the module with another program whether anything was offloaded.
void PrintStats() {
  const AcceleratorStats stats = GetAcceleratorStats();
  for (size_t i = 0; i < kOffloadClasses; ++i) {
    const AcceleratorStats::Counts& counts = stats.classes[i];
    if (counts.offloaded + counts.inlined + counts.refused == 0) continue;
    fprintf(stderr, "accelerator: %s offloaded=%" PRIu64 " inline=%" PRIu64 " refused=%" PRIu64 "\n",
            OffloadClassName(i), counts.offloaded, counts.inlined, counts.refused);
  }
}

void PrintStatsAtExit() {
  static const bool registered = [] {
    const char* wanted = getenv("OPENSSL_ASYNC_ACCELERATOR_STATS");
    return wanted != nullptr && *wanted != '\0' && atexit(PrintStats) == 0;
  }();
  static_cast<void>(registered);
}

}  // namespace

}  // namespace openssl_async

#ifdef _WIN32
#define ACCELERATOR_EXPORT __declspec(dllexport)
#else
#define ACCELERATOR_EXPORT __attribute__((visibility("default")))
#endif

extern "C" ACCELERATOR_EXPORT int OSSL_provider_init(  // NOLINT(readability-identifier-naming): OpenSSL's name
    const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core, const OSSL_DISPATCH** functions, void** context) {
  openssl_async::PrintStatsAtExit();
  return openssl_async::AcceleratorProviderInit(handle, core, functions, context);
}
