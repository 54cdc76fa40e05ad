#include "openssl/own_errors.h"

#include <openssl/err.h>

namespace openssl_async {

namespace {

struct OwnError {
  OwnReason reason;
  const char* code;
  const char* text;
};

constexpr OwnError kErrors[] = {
    {OwnReason::kRemoteKeyFailed, "ERR_ASYNC_REMOTE_KEY_FAILED", "The remote key's function failed"},
    {OwnReason::kRemoteKeyInvalidResult, "ERR_ASYNC_REMOTE_KEY_INVALID_RESULT",
     "The remote key's function returned an invalid result"},
    {OwnReason::kRemoteKeyTimeout, "ERR_ASYNC_REMOTE_KEY_TIMEOUT", "The remote key did not answer in time"},
    {OwnReason::kRemoteKeyUnsupported, "ERR_ASYNC_REMOTE_KEY_UNSUPPORTED",
     "The remote key has no function for this operation"},
    {OwnReason::kRemoteKeyCannotWait, "ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT",
     "A remote key's private operations need a job that can pause, on the thread that the key belongs to"},
};

const OwnError* Find(int reason) {
  for (const OwnError& error : kErrors) {
    if (static_cast<int>(error.reason) == reason) return &error;
  }
  return nullptr;
}

// OpenSSL keeps the table and writes the library's number into it.
int LoadLibrary() {
  const int library = ERR_get_next_error_library();
  constexpr size_t kCount = sizeof(kErrors) / sizeof(kErrors[0]);
  static ERR_STRING_DATA strings[kCount + 2] = {};
  strings[0] = {ERR_PACK(library, 0, 0), "openssl-async"};
  for (size_t i = 0; i < kCount; ++i) {
    strings[i + 1] = {ERR_PACK(0, 0, static_cast<int>(kErrors[i].reason)), kErrors[i].text};
  }
  ERR_load_strings(library, strings);
  return library;
}

}  // namespace

int OwnErrorLibrary() {
  static const int library = LoadLibrary();
  return library;
}

void RaiseOwn(OwnReason reason, const char* detail) {
  if (detail == nullptr) {
    ERR_raise(OwnErrorLibrary(), static_cast<int>(reason));
  } else {
    ERR_raise_data(OwnErrorLibrary(), static_cast<int>(reason), "%s", detail);
  }
}

const char* CodeOfOwn(int reason) {
  const OwnError* error = Find(reason);
  return error == nullptr ? nullptr : error->code;
}

const char* TextOfOwn(int reason) {
  const OwnError* error = Find(reason);
  return error == nullptr ? nullptr : error->text;
}

}  // namespace openssl_async
