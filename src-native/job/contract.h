// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// Commands that a job of a generator is told to carry out.
enum class CommandKind : int32_t {
  kPause = 0,
  kBlockPause = 1,
  kUnblockPause = 2,
  kSetWaitFd = 3,
  kGetFd = 4,
  kClearFd = 5,
  kReturn = 6,
};

// The status of a wait context, as OpenSSL numbers it (ASYNC_STATUS_…).
enum class WaitStatus : int {
  kUnsupported = 0,
  kError = 1,
  kOk = 2,
  kAgain = 3,
};

}  // namespace openssl_async
