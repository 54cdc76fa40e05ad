// Converts between JavaScript's values and the core's. TypeScript has validated arguments; only the checks that memory
// safety needs stand here.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "openssl/pointers.h"
#include "scheduler/histogram.h"

namespace openssl_async {

// An array of `to_element(element)` for each element.
template <typename Container, typename ToElement>
Napi::Array ToArray(Napi::Env env, const Container& container, ToElement to_element) {
  Napi::Array array = Napi::Array::New(env, container.size());
  uint32_t index = 0;
  for (const auto& element : container) array.Set(index++, to_element(element));
  return array;
}

inline Napi::Array ToJs(Napi::Env env, const std::vector<std::string>& texts) {
  return ToArray(env, texts, [](const std::string& text) { return text; });
}

// An error as data: { code, message, opensslErrors }. lib/base/errors.ts makes the error, so that its stack is the
// caller's.
inline Napi::Value ToJs(Napi::Env env, const Error& error) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("code", error.code);
  object.Set("message", error.message);
  object.Set("opensslErrors", ToJs(env, error.openssl_errors));
  return object;
}

// undefined, or the error as data.
inline Napi::Value ToJs(Napi::Env env, const Result<void>& result) {
  return result.ok() ? env.Undefined() : ToJs(env, result.error());
}

inline Napi::Array ToJs(Napi::Env env, const std::vector<WaitFd>& fds) {
  return ToArray(env, fds, [](WaitFd fd) { return WaitFdToNumber(fd); });
}

// A JavaScript number, whatever the C++ type.
template <typename Number>
Napi::Value ToNumber(Napi::Env env, Number number) {
  return Napi::Number::New(env, static_cast<double>(number));
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

// The bytes of a Uint8Array, valid during the call; absent for anything else.
inline ByteView ToView(Napi::Value value) {
  static const unsigned char empty = 0;
  napi_typedarray_type type = napi_uint8_array;
  size_t size = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &size, &data, nullptr, nullptr) != napi_ok) return {};
  if (type != napi_uint8_array) size = value.As<Napi::TypedArray>().ByteLength();
  if (size == 0) return {&empty, 0};
  return {static_cast<const unsigned char*>(data), size};
}

// Empty for everything but a string.
inline std::string ToText(Napi::Value value) { return value.IsString() ? value.As<Napi::String>().Utf8Value() : ""; }

// Names of ALPN are bytes: a string has a character for each, as in Node.js.
inline Napi::Value ToByteText(Napi::Env env, const std::string& bytes) {
  napi_value text = nullptr;
  napi_create_string_latin1(env, bytes.data(), bytes.size(), &text);
  return Napi::Value(env, text);
}
inline std::string FromByteText(Napi::Value value) {
  std::string bytes;
  if (!value.IsString()) return bytes;
  size_t size = 0;
  napi_get_value_string_latin1(value.Env(), value, nullptr, 0, &size);
  bytes.resize(size + 1);  // with the zero at the end
  napi_get_value_string_latin1(value.Env(), value, bytes.data(), bytes.size(), &size);
  bytes.resize(size);
  return bytes;
}

inline bool ToBool(Napi::Value value) { return value.As<Napi::Boolean>().Value(); }
inline int32_t ToInt32(Napi::Value value) { return value.As<Napi::Number>().Int32Value(); }
inline uint32_t ToUint32(Napi::Value value) { return value.As<Napi::Number>().Uint32Value(); }
inline uint64_t ToUint64(Napi::Value value) { return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value()); }
inline double ToDouble(Napi::Value value) { return value.As<Napi::Number>().DoubleValue(); }

}  // namespace openssl_async
