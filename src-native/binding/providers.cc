#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/convert.h"
#include "binding/devices.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "modules/provider.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Napi::Object ToInfo(Napi::Env env, const ProviderInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", info.name);
  object.Set("title", info.title);
  object.Set("version", info.version);
  object.Set("buildInfo", info.build_info);
  object.Set("active", info.is_active);
  if (info.passes_self_test.has_value()) object.Set("selfTest", *info.passes_self_test);
  Napi::Object algorithms = Napi::Object::New(env);
  for (const auto& [operation, names] : info.algorithms) algorithms.Set(operation, ToJs(env, names));
  object.Set("algorithms", algorithms);
  return object;
}

// (name, path, [name, value, …])
Napi::Value LoadProvider(Info info) {
  ProviderRequest request;
  request.name = ToText(info[0]);
  request.path = ToText(info[1]);
  Napi::Array parameters = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i + 1 < parameters.Length(); i += 2) {
    const Napi::Value name = parameters[i];
    const Napi::Value value = parameters[i + 1];
    request.parameters.emplace_back(ToText(name), ToText(value));
  }
  Result<std::unique_ptr<LoadedProvider>> loaded = LoadedProvider::Load(request);
  if (!loaded.ok()) return ToJs(info.Env(), loaded.error());
  return NewHandle<ProviderHandle>(info.Env(), std::move(loaded.value()));
}

Napi::Value UnloadProvider(Info info) {
  ForgetDevices(info);
  ToHandle<ProviderHandle>(info[0]).reset();
  return info.Env().Undefined();
}

// (backend, provider, parameter, interval in milliseconds, thresholds)
Napi::Value PollProvider(Info info) {
  const ProviderHandle provider = ToPointer<ProviderHandle>(info[1]);
  const PollDevice poll = [provider, parameter = ToText(info[2])] { return provider->Poll(parameter); };
  return ToJs(info.Env(),
              Environment::From(info).operations().StartPolling(ToText(info[0]), ToPollingOptions(info, 3), poll));
}

Napi::Value DescribeProvider(Info info) { return ToInfo(info.Env(), ToObject<ProviderHandle>(info[0]).Describe()); }

Napi::Value TestProvider(Info info) {
  return Napi::Boolean::New(info.Env(), ToObject<ProviderHandle>(info[0]).TestItself());
}

// undefined when the provider has no such parameter.
Napi::Value ProviderParameter(Info info) {
  std::string value;
  const bool found = ToObject<ProviderHandle>(info[0]).GetParameter(ToText(info[1]).c_str(), &value);
  return found ? Napi::String::New(info.Env(), value) : info.Env().Undefined();
}

// (whether of the addon's own library context, whether they test themselves)
Napi::Value ListProvidersOf(Info info) {
  Result<std::vector<ProviderInfo>> found = ListProviders(ToBool(info[0]), ToBool(info[1]));
  if (!found.ok()) return ToJs(info.Env(), found.error());
  return ToArray(info.Env(), found.value(), [&](const ProviderInfo& provider) { return ToInfo(info.Env(), provider); });
}

// 'process', 'configuration' or undefined.
Napi::Value FindProviderOf(Info info) {
  switch (FindProvider(ToText(info[0]))) {
    case ProviderLocation::kProcess:
      return Napi::String::New(info.Env(), "process");
    case ProviderLocation::kOwnConfiguration:
      return Napi::String::New(info.Env(), "configuration");
    case ProviderLocation::kNowhere:
      break;
  }
  return info.Env().Undefined();
}

}  // namespace

void AddProviderExports(Exports& addon) {
  Exports providers = addon.Subject("providers");
  providers.Add("load", &LoadProvider);
  providers.Add("unload", &UnloadProvider);
  providers.Add("poll", &PollProvider);
  providers.Add("describe", &DescribeProvider);
  providers.Add("test", &TestProvider);
  providers.Add("parameter", &ProviderParameter);
  providers.Add("list", &ListProvidersOf);
  providers.Add("find", &FindProviderOf);
}

}  // namespace openssl_async
