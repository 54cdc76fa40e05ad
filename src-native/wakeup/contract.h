// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// The ways to wake a job: everything that it offers, or one of them only.
enum class WaitMode : uint8_t {
  kAuto = 0,
  // Fds are watched only while no status says whether there will be a callback.
  kCallback = 1,
  // The wait context carries no callback, so that an engine which asks for one uses an fd.
  kFd = 2,
  // Neither: the job tries again and again.
  kPoll = 3,
};

// The reasons to resume a paused job.
enum class WakeKind : uint8_t {
  kFd = 0,
  kCallback = 1,
  kPoll = 2,
};

}  // namespace openssl_async
