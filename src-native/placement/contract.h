// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// The caller's choice of where an operation runs.
enum class Mode : uint8_t {
  kAuto = 0,
  kInline = 1,
  kOffload = 2,
};

// Where an operation runs.
enum class Place : uint8_t {
  // On the loop's thread, within the call or a turn later.
  kInline = 0,
  kPool = 1,
  kJob = 2,
};

}  // namespace openssl_async
