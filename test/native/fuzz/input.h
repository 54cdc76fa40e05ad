// The fuzzer's bytes, taken off the front. There are zeros after the last one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace openssl_async::fuzz {

class Input {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.size == 0; }
  uint8_t Byte() {
    const ByteView taken = Bytes(1);
    return taken.size == 1 ? taken.data[0] : 0;
  }
  uint16_t Number() {
    const unsigned high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  // Fewer at the end.
  ByteView Bytes(size_t most) {
    const ByteView taken = {bytes_.data, std::min(most, bytes_.size)};
    bytes_ = {bytes_.data + taken.size, bytes_.size - taken.size};
    return taken;
  }

 private:
  ByteView bytes_;
};

}  // namespace openssl_async::fuzz
