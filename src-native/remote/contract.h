// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// The requests that a remote key may get.
enum class RemoteOperation : uint8_t {
  kSign = 0,
  kDecrypt = 1,
  kDerive = 2,
};

}  // namespace openssl_async
