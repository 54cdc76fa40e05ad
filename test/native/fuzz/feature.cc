#include "feature.h"

namespace openssl_async::fuzz {

namespace {

// Of the fuzzer, which takes every counter as a place in the program and clears them before each input.
constexpr uint32_t kCounters = 8192;
__attribute__((section("__libfuzzer_extra_counters"))) uint8_t counters[kCounters];

}  // namespace

void MarkFeature(FeatureKind kind, uint32_t value) {
  constexpr uint32_t kMultiplier = 2'654'435'761;
  counters[(value * 4 + static_cast<uint32_t>(kind)) * kMultiplier % kCounters] = 1;
}

// FNV-1a.
uint32_t HashOf(const std::string& text) {
  uint32_t hash = 2'166'136'261;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16'777'619;
  return hash;
}

}  // namespace openssl_async::fuzz
