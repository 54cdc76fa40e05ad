// The module's entry. lib/native/contract/addon.ts describes its exports.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/guard.h"
#include "binding/subjects.h"
#include "job/copies.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Napi::Value OpenSSLVersionOf(Info info) { return Napi::String::New(info.Env(), OpenSSLVersion()); }
Napi::Value UnsupportedReasonOf(Info info) { return Napi::String::New(info.Env(), UnsupportedReason()); }
Napi::Value WithoutJobsReasonOf(Info info) { return Napi::String::New(info.Env(), WithoutJobsReason()); }

// { required, optional }: names.
Napi::Value SymbolNames(Info info) {
  Napi::Object names = Napi::Object::New(info.Env());
  names.Set("required", ToJs(info.Env(), RequiredSymbols()));
  names.Set("optional", ToJs(info.Env(), OptionalSymbolNames()));
  return names;
}

Napi::Value HasSymbolOf(Info info) {
  const std::string name = ToText(info[0]);
  return Napi::Boolean::New(info.Env(), HasSymbol(name.c_str()));
}

// Paths of the addons of all copies of the package in the process, this one's first.
Napi::Value CopiesOf(Info info) {
  std::vector<std::string> paths = Copies::Paths();
  for (std::string& path : Copies::Strangers()) paths.push_back(std::move(path));
  return ToJs(info.Env(), paths);
}

// Gives each copy of the JavaScript an addon of its own; an error's data when the loop refuses the handles.
Napi::Value Open(Info info) {
  const Napi::Env env = info.Env();
  Result<std::shared_ptr<Environment>> created = Environment::Create(env);
  if (!created.ok()) return ToJs(env, created.error());
  Napi::Object object = Napi::Object::New(env);
  Exports addon(object, created.value());
  AddThreadExports(addon);
  AddWaitContextExports(addon);
  AddSignalExports(addon);
  AddJobExports(addon);
  AddKeyExports(addon);
  AddSpecExports(addon);
  AddOperationExports(addon);
  AddDeviceExports(addon);
  AddEngineExports(addon);
  AddProviderExports(addon);
  AddModuleExports(addon);
  AddLibraryExports(addon);
  AddRemoteKeyExports(addon);
  AddTlsExports(addon);
  AddStatisticsExports(addon);
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, Guarded(function), name));
  };
  add("opensslVersion", &OpenSSLVersionOf);
  add("unsupportedReason", &UnsupportedReasonOf);
  add("symbolNames", &SymbolNames);
  add("hasSymbol", &HasSymbolOf);
  add("copies", &CopiesOf);
  if (!UnsupportedReason().empty()) return exports;
  add("withoutJobsReason", &WithoutJobsReasonOf);
  add("open", &Open);
  return exports;
}

}  // namespace

NODE_API_MODULE(openssl_async, Init)

}  // namespace openssl_async
