// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// Families of operations; there is a C++ file for each.
enum class OperationFamily : int {
  kSign = 0,
  kVerify = 1,
  kDigest = 2,
  kPublicEncrypt = 3,
  kPrivateDecrypt = 4,
  kPrivateEncrypt = 5,
  kPublicDecrypt = 6,
  kKeyExchange = 7,
  kEncapsulate = 8,
  kDecapsulate = 9,
  kKeyGeneration = 10,
  kMac = 11,
  kEncrypt = 12,
  kDecrypt = 13,
  kEncryptStream = 14,
  kDecryptStream = 15,
  kDigestStream = 16,
  kKeyDerivation = 17,
  kRandom = 18,
  kStore = 19,
};

// Inputs of one call.
constexpr size_t kMaxInputs = 6;

// Numbers of one call.
constexpr size_t kMaxNumbers = 6;

// Outputs of one call.
constexpr size_t kMaxOutputs = 2;

}  // namespace openssl_async
