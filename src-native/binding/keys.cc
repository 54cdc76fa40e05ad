#include <memory>
#include <string>
#include <utility>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/scope.h"
#include "binding/subjects.h"
#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// (DER, is private, OpenSSL's name of the type or undefined, scope)
Napi::Value CreateKey(Info info) {
  Result<Scope> scope = ToScope(info[3]);
  if (!scope.ok()) return ToJs(info.Env(), scope.error());
  const std::string type = ToText(info[2]);
  Result<std::shared_ptr<Key>> key =
      Key::FromDer(ToView(info[0]), ToBool(info[1]), type.empty() ? nullptr : type.c_str(), scope.value().provider);
  if (!key.ok()) return ToJs(info.Env(), key.error());
  return NewHandle<KeyHandle>(info.Env(), std::move(key.value()));
}

// [bits, name of the curve or group, empty for keys without one]; undefined for a key that was released.
Napi::Value DescribeKey(Info info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<Key>& key = ToHandle<KeyHandle>(info[0]);
  if (key == nullptr) return env.Undefined();
  const ErrorQueueScope scope;
  Napi::Array details = Napi::Array::New(env, 2);
  details.Set(0U, ToNumber(env, EVP_PKEY_get_bits(key->pkey())));
  details.Set(1U, Napi::String::New(env, key->GroupName()));
  return details;
}

// The key goes now, and not when its handle is collected.
Napi::Value ReleaseKey(Info info) {
  ToHandle<KeyHandle>(info[0]).reset();
  return info.Env().Undefined();
}

}  // namespace

void AddKeyExports(Exports& addon) {
  Exports keys = addon.Subject("keys");
  keys.Add("create", &CreateKey);
  keys.Add("describe", &DescribeKey);
  keys.Add("release", &ReleaseKey);
}

}  // namespace openssl_async
