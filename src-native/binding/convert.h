// Between JavaScript's values and the core's. TypeScript has validated what comes in; here stands what memory safety
// needs.
#pragma once

#include <napi.h>

#include <string>

#include "base/result.h"
#include "openssl/pointers.h"
#include "scheduler/histogram.h"

namespace openssl_async {

// An error as data: { code, message, opensslErrors }. lib/base/errors.ts makes the error, so that its stack is the
// caller's.
inline Napi::Value ToJs(Napi::Env env, const Error& error) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("code", error.code);
  object.Set("message", error.message);
  Napi::Array lines = Napi::Array::New(env, error.openssl_errors.size());
  for (size_t i = 0; i < error.openssl_errors.size(); ++i) lines.Set(static_cast<uint32_t>(i), error.openssl_errors[i]);
  object.Set("opensslErrors", lines);
  return object;
}

// undefined, or the error as data.
inline Napi::Value ToJs(Napi::Env env, const Result<void>& result) {
  return result.ok() ? env.Undefined() : ToJs(env, result.error());
}

inline Napi::Array ToJs(Napi::Env env, const std::vector<WaitFd>& fds) {
  Napi::Array array = Napi::Array::New(env, fds.size());
  for (size_t i = 0; i < fds.size(); ++i) array.Set(static_cast<uint32_t>(i), WaitFdToNumber(fds[i]));
  return array;
}

// In microseconds.
inline Napi::Object ToJs(Napi::Env env, const Histogram& histogram) {
  constexpr double kMicro = 1000;
  Napi::Object object = Napi::Object::New(env);
  object.Set("count", static_cast<double>(histogram.count()));
  object.Set("min", static_cast<double>(histogram.min()) / kMicro);
  object.Set("max", static_cast<double>(histogram.max()) / kMicro);
  object.Set("mean", histogram.mean() / kMicro);
  object.Set("p50", static_cast<double>(histogram.Percentile(0.5)) / kMicro);
  object.Set("p90", static_cast<double>(histogram.Percentile(0.9)) / kMicro);
  object.Set("p99", static_cast<double>(histogram.Percentile(0.99)) / kMicro);
  return object;
}

struct Bytes {
  const void* data = nullptr;  // null for undefined and null
  size_t size = 0;
};

// A Uint8Array, undefined or null. Valid for the time of the call.
inline Bytes ToBytes(Napi::Value value) {
  if (!value.IsTypedArray()) return {};
  static const unsigned char empty = 0;
  Napi::TypedArray array = value.As<Napi::TypedArray>();
  if (array.ByteLength() == 0) return {&empty, 0};
  return {static_cast<const unsigned char*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
}

// The handle behind an external of our own, which never leaves lib/.
template <typename T>
T* ToHandle(Napi::Value value) {
  return value.IsExternal() ? value.As<Napi::External<T>>().Data() : nullptr;
}

template <typename T>
Napi::Value FromHandle(Napi::Env env, T* handle) {
  return Napi::External<T>::New(env, handle, [](Napi::Env, T* finalized) { delete finalized; });
}

}  // namespace openssl_async
