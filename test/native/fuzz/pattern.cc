#include "pattern.h"

#include <algorithm>
#include <random>

namespace openssl_async::fuzz {

Pattern::Pattern(unsigned seed) : bytes_(2 * kPeriod) {
  std::mt19937 random(seed);
  for (size_t i = 0; i < kPeriod; ++i) bytes_[i] = bytes_[i + kPeriod] = static_cast<unsigned char>(random());
}

bool Pattern::Matches(size_t position, ByteView bytes) const {
  for (size_t at = 0; at < bytes.size;) {
    const size_t size = std::min(bytes.size - at, kPeriod);
    if (memcmp(At(position + at, size).data, bytes.data + at, size) != 0) return false;
    at += size;
  }
  return true;
}

const Pattern& PlaintextOfClient() {
  static const Pattern pattern(1);
  return pattern;
}

const Pattern& PlaintextOfServer() {
  static const Pattern pattern(2);
  return pattern;
}

}  // namespace openssl_async::fuzz
