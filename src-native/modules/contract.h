// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// The reason why a module is to keep its own libcrypto.
enum class Isolation : int {
  // The user asks for it: ERR_ASYNC_MODULE_INCOMPATIBLE when it cannot be done.
  kWanted = 0,
  // A provider is about to use the module: likewise when it is too late, as the module would crash.
  kProvider = 1,
  // An engine is about to use the module: as long as nothing is kept apart, everything is the process's OpenSSL.
  kEngine = 2,
};

// The methods of an engine that keys of one's own may use, as OpenSSL numbers them (ENGINE_METHOD_…).
enum class EngineMethod : unsigned {
  kRSA = 0x1,
  kEC = 0x800,
  kPKEY = 0x200,
};

}  // namespace openssl_async
