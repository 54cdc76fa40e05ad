// Errors of our own on OpenSSL's error queue: what a provider of ours raises, libcrypto brings to whoever asked.
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

// Puts an error onto this thread's queue. `detail`, a sentence for people, is copied; null for the reason's own words.
void RaiseOwn(OwnReason reason, const char* detail = nullptr);

// The number of the library that these errors are of.
int OwnErrorLibrary();
// The stable code that an error's reason stands for; null when it is not one of ours.
const char* CodeOfOwn(int reason);
const char* TextOfOwn(int reason);

}  // namespace openssl_async
