// Specs: the data that calls of one kind share.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/scope.h"
#include "binding/subjects.h"
#include "libraries/library_context.h"
#include "modules/provider.h"
#include "openssl/error_queue.h"
#include "openssl/fips.h"
#include "openssl/version.h"
#include "operations/registry.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// Keys of a library context that is neither the process's nor the addon's own are remote ones.
Result<void> CheckKeys(const std::vector<std::shared_ptr<Key>>& keys) {
  for (const std::shared_ptr<Key>& key : keys) {
    if (key->scope().library_context == nullptr) continue;
    Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
    if (own.ok() && key->scope().library_context != own.value()) return CheckAccelerator();
  }
  return {};
}

// Hardware that would pause a job blocks the thread where there is none. The accelerator does the work on that thread.
bool BlocksWithoutJobs(const Scope& scope) {
  return scope.provider.may_pause && !HasJobs() && scope.backend != "provider:accelerator";
}

// (family, name in the statistics, names, numbers, keys, bytes, scope, fallback, source)
Napi::Value CreateSpecOf(Info info) {
  const bool in_fips_mode = InFipsMode();
  SpecRequest request;
  Napi::Array names = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < names.Length(); ++i) request.names.push_back(ToText(names[i]));
  Napi::Array numbers = info[3].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); ++i) {
    const Napi::Value number = numbers[i];
    request.numbers.push_back(ToDouble(number));
  }
  Napi::Array keys = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < keys.Length(); ++i) request.keys.push_back(ToPointer<KeyHandle>(keys[i]));
  Napi::Array bytes = info[5].As<Napi::Array>();
  for (uint32_t i = 0; i < bytes.Length(); ++i) {
    if (!request.bytes.emplace_back().Assign(ToView(bytes[i]))) {
      return ToJs(info.Env(), Error{"ERR_MEMORY_ALLOCATION_FAILED", "There is not enough memory", {}});
    }
  }
  Result<Scope> scope = ToScope(info[6]);
  if (!scope.ok()) return ToJs(info.Env(), scope.error());
  request.scope = scope.value().provider;
  const auto* source = ToOptionalHandle<PlacedSpec>(info[8]);
  if (source != nullptr) request.source = source->spec;
  if (Result<void> allowed = CheckKeys(request.keys); !allowed.ok()) return ToJs(info.Env(), allowed.error());
  const auto family = static_cast<OperationFamily>(ToInt32(info[0]));
  SpecResult created = CreateSpec(family, std::move(request));
  if (!created.ok()) return ToJs(info.Env(), created.error());
  created.value()->set_may_pause(scope.value().provider.may_pause);
  created.value()->set_asymmetric(IsAsymmetric(family));
  created.value()->set_asks_javascript(scope.value().backend == "provider:remote");
  created.value()->set_blocks(scope.value().blocks || BlocksWithoutJobs(scope.value()));
  const auto* fallback = ToOptionalHandle<PlacedSpec>(info[7]);
  if (fallback != nullptr) created.value()->set_fallback(fallback->spec);
  PlacedSpec placed =
      Environment::From(info).operations().Adopt(std::move(created.value()), ToText(info[1]), scope.value().backend);
  if (!HasState(family)) placed.in_fips_mode = in_fips_mode;
  return NewHandle<PlacedSpec>(info.Env(), std::move(placed));
}

// undefined where the provider is not known before a call.
Napi::Value SpecProvider(Info info) {
  const ErrorQueueScope errors;
  const OSSL_PROVIDER* provider = ToLiveSpec(info[0]).spec->Provider();
  return provider == nullptr ? info.Env().Undefined() : Napi::String::New(info.Env(), NameOf(provider));
}

Napi::Value PassOver(Info info) {
  auto& placed = ToHandle<PlacedSpec>(info[0]);
  placed.passed_over = std::exchange(placed.backend, nullptr);
  return info.Env().Undefined();
}

Napi::Value ReleaseSpec(Info info) {
  ToHandle<PlacedSpec>(info[0]).spec.reset();
  return info.Env().Undefined();
}

// The key that the last call of the spec found.
Napi::Value TakeKey(Info info) { return NewHandle<KeyHandle>(info.Env(), ToLiveSpec(info[0]).spec->TakeKey()); }

}  // namespace

void AddSpecExports(Exports& addon) {
  Exports specs = addon.Subject("specs");
  specs.Add("create", &CreateSpecOf);
  specs.Add("provider", &SpecProvider);
  specs.Add("passOver", &PassOver);
  specs.Add("release", &ReleaseSpec);
  specs.Add("takeKey", &TakeKey);
}

}  // namespace openssl_async
