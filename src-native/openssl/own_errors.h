// Errors of our own on OpenSSL's error queue: our providers raise them, and libcrypto carries them to the caller.
#pragma once

namespace openssl_async {

// Each stands for one of the codes of lib/base/errors.ts.
enum class OwnReason : int {
  kRemoteKeyFailed = 100,
  kRemoteKeyInvalidResult,
  kRemoteKeyTimeout,
  kRemoteKeyUnsupported,
  kRemoteKeyCannotWait,
};

// Puts an error onto this thread's queue. `detail`, a sentence for people, is copied; null means the reason's own text.
void RaiseOwn(OwnReason reason, const char* detail = nullptr);

// The library number of these errors.
int OwnErrorLibrary();
// The stable code of a reason; null when the reason is not ours.
const char* CodeOfOwn(int reason);
const char* TextOfOwn(int reason);

}  // namespace openssl_async
