// libssl is not instrumented: these tell the fuzzer how far an input came in it.
#pragma once

#include <cstdint>
#include <string>

namespace openssl_async::fuzz {

enum class FeatureKind : uint32_t { kEvent, kFailure, kState };

void MarkFeature(FeatureKind kind, uint32_t value);
uint32_t HashOf(const std::string& text);

}  // namespace openssl_async::fuzz
