// Plaintext of which every position is known, so that a receiver can tell a loss from a change.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace openssl_async::fuzz {

class Pattern {
 public:
  // The longest piece that At() gives.
  static constexpr size_t kPeriod = 65'521;

  explicit Pattern(unsigned seed);
  ByteView At(size_t position, size_t size) const { return {bytes_.data() + position % kPeriod, size}; }
  bool Matches(size_t position, ByteView bytes) const;

 private:
  std::vector<unsigned char> bytes_;
};

// What each side sends.
const Pattern& PlaintextOfClient();
const Pattern& PlaintextOfServer();

}  // namespace openssl_async::fuzz
