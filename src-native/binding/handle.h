// Handles: the objects that our externals point to. Our externals never leave lib/; an external of another type, or of
// other code, is refused.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "binding/environment.h"
#include "keys/key.h"
#include "modules/engine_task.h"
#include "modules/provider.h"
#include "placement/operation_runner.h"
#include "tls/context.h"
#include "wakeup/wait_signal.h"

namespace openssl_async {

// These handles are empty once released, unloaded or closed.
using SignalHandle = std::unique_ptr<WaitSignal>;
using KeyHandle = std::shared_ptr<Key>;
using ProviderHandle = std::shared_ptr<LoadedProvider>;
using EngineHandle = std::shared_ptr<Engine>;
using TlsContextHandle = std::shared_ptr<TlsContext>;
using TrustedRootsHandle = std::shared_ptr<TrustedRoots>;
using OutcomeHandle = std::shared_ptr<EngineOutcome>;

template <typename T>
struct HandleType;
template <>
struct HandleType<WaitContextHandle> {
  static constexpr size_t kNumber = 0;
  static constexpr const char* kName = "a wait context";
};
template <>
struct HandleType<JobHandle> {
  static constexpr size_t kNumber = 1;
  static constexpr const char* kName = "a job";
};
template <>
struct HandleType<SignalHandle> {
  static constexpr size_t kNumber = 2;
  static constexpr const char* kName = "a signal";
};
template <>
struct HandleType<KeyHandle> {
  static constexpr size_t kNumber = 3;
  static constexpr const char* kName = "a key";
};
template <>
struct HandleType<PlacedSpec> {
  static constexpr size_t kNumber = 4;
  static constexpr const char* kName = "a spec";
};
template <>
struct HandleType<ProviderHandle> {
  static constexpr size_t kNumber = 5;
  static constexpr const char* kName = "a provider";
};
template <>
struct HandleType<EngineHandle> {
  static constexpr size_t kNumber = 6;
  static constexpr const char* kName = "an engine";
};
template <>
struct HandleType<OutcomeHandle> {
  static constexpr size_t kNumber = 7;
  static constexpr const char* kName = "an outcome";
};

template <>
struct HandleType<TlsContextHandle> {
  static constexpr size_t kNumber = 8;
  static constexpr const char* kName = "a context of TLS";
};
template <>
struct HandleType<TrustedRootsHandle> {
  static constexpr size_t kNumber = 9;
  static constexpr const char* kName = "trusted certificates";
};

// A tag is the address of one of these, which no other copy of the addon has. Not constant, so that the linker keeps
// them apart.
inline char handle_tags[10];

struct HandleHeader {
  const void* tag = nullptr;
};

template <typename T>
class Handle final : private HandleHeader {
 public:
  template <typename... Arguments>
  explicit Handle(Arguments&&... arguments) : value_{std::forward<Arguments>(arguments)...} {
    tag = Tag();
  }

  HandleHeader* header() { return this; }
  // Null for the header of another type.
  static T* From(HandleHeader* header) {
    return header != nullptr && header->tag == Tag() ? &static_cast<Handle*>(header)->value_ : nullptr;
  }
  static void Delete(Napi::Env, HandleHeader* header) { delete static_cast<Handle*>(header); }

 private:
  static const void* Tag() { return &handle_tags[HandleType<T>::kNumber]; }

  T value_;
};

[[noreturn]] inline void ThrowWrongHandle(Napi::Env env, const char* expected) {
  Napi::TypeError error = Napi::TypeError::New(env, std::string("The argument must be the handle of ") + expected);
  error.Set("code", Napi::String::New(env, "ERR_INVALID_ARG_TYPE"));
  throw error;
}

// A single call of Node-API, since each operation comes this way.
template <typename T>
T* FindHandle(Napi::Value value) {
  void* external = nullptr;
  if (napi_get_value_external(value.Env(), value, &external) != napi_ok) return nullptr;
  return Handle<T>::From(static_cast<HandleHeader*>(external));
}

template <typename T>
T& ToHandle(Napi::Value value) {
  T* found = FindHandle<T>(value);
  if (found == nullptr) ThrowWrongHandle(value.Env(), HandleType<T>::kName);
  return *found;
}

// Null for undefined and null.
template <typename T>
T* ToOptionalHandle(Napi::Value value) {
  T* found = FindHandle<T>(value);
  if (found == nullptr && !value.IsUndefined() && !value.IsNull()) ThrowWrongHandle(value.Env(), HandleType<T>::kName);
  return found;
}

// A handle that still holds its object.
template <typename Pointer>
Pointer& ToPointer(Napi::Value value) {
  Pointer& pointer = ToHandle<Pointer>(value);
  if (pointer == nullptr) ThrowWrongHandle(value.Env(), HandleType<Pointer>::kName);
  return pointer;
}

template <typename Pointer>
typename Pointer::element_type& ToObject(Napi::Value value) {
  return *ToPointer<Pointer>(value);
}

// A spec that has not been released.
inline PlacedSpec& ToLiveSpec(Napi::Value value) {
  auto& placed = ToHandle<PlacedSpec>(value);
  if (placed.spec == nullptr) ThrowWrongHandle(value.Env(), HandleType<PlacedSpec>::kName);
  return placed;
}

template <typename T, typename... Arguments>
Napi::Value NewHandle(Napi::Env env, Arguments&&... arguments) {
  auto handle = std::make_unique<Handle<T>>(std::forward<Arguments>(arguments)...);
  Napi::Value external = Napi::External<HandleHeader>::New(env, handle->header(), &Handle<T>::Delete);
  static_cast<void>(handle.release());
  return external;
}

}  // namespace openssl_async
