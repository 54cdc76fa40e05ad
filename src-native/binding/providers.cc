#include "binding/providers.h"

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/operations.h"
#include "libraries/library_context.h"
#include "modules/module_isolation.h"
#include "modules/provider.h"
#include "modules/provider_configuration.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;
using ProviderHandle = std::shared_ptr<LoadedProvider>;  // null once unloaded

std::string ToText(Napi::Value value) { return value.IsString() ? value.As<Napi::String>().Utf8Value() : ""; }

Napi::Object ToJs(Napi::Env env, const ProviderInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", info.name);
  object.Set("title", info.title);
  object.Set("version", info.version);
  object.Set("buildInfo", info.build_info);
  object.Set("active", info.is_active);
  if (info.passes_self_test.has_value()) object.Set("selfTest", *info.passes_self_test);
  Napi::Object algorithms = Napi::Object::New(env);
  for (const auto& [operation, names] : info.algorithms) {
    Napi::Array list = Napi::Array::New(env, names.size());
    for (size_t i = 0; i < names.size(); ++i) list.Set(static_cast<uint32_t>(i), names[i]);
    algorithms.Set(operation, list);
  }
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
  return FromHandle(info.Env(), new ProviderHandle(std::move(loaded.value())));
}

Napi::Value UnloadProvider(Info info) {
  ForgetDevices(info);
  ToHandle<ProviderHandle>(info[0])->reset();
  return info.Env().Undefined();
}

// (backend, provider, parameter, interval in milliseconds, thresholds)
Napi::Value PollProvider(Info info) {
  ProviderHandle provider = *ToHandle<ProviderHandle>(info[1]);
  const PollDevice poll = [provider, parameter = ToText(info[2])] { return provider->Poll(parameter); };
  return ToJs(info.Env(),
              Environment::From(info).operations().StartPolling(ToText(info[0]), ToPollingOptions(info, 3), poll));
}

Napi::Value DescribeProvider(Info info) { return ToJs(info.Env(), (*ToHandle<ProviderHandle>(info[0]))->Describe()); }

Napi::Value TestProvider(Info info) {
  return Napi::Boolean::New(info.Env(), (*ToHandle<ProviderHandle>(info[0]))->TestItself());
}

// undefined when it has no such parameter.
Napi::Value ProviderParameter(Info info) {
  std::string value;
  const bool found = (*ToHandle<ProviderHandle>(info[0]))->GetParameter(ToText(info[1]).c_str(), &value);
  return found ? Napi::String::New(info.Env(), value) : info.Env().Undefined();
}

// (whether of the addon's own library context, whether they test themselves)
Napi::Value ListProvidersOf(Info info) {
  Result<std::vector<ProviderInfo>> found =
      ListProviders(info[0].As<Napi::Boolean>().Value(), info[1].As<Napi::Boolean>().Value());
  if (!found.ok()) return ToJs(info.Env(), found.error());
  Napi::Array list = Napi::Array::New(info.Env(), found.value().size());
  for (size_t i = 0; i < found.value().size(); ++i) {
    list.Set(static_cast<uint32_t>(i), ToJs(info.Env(), found.value()[i]));
  }
  return list;
}

// (path, an Isolation)
Napi::Value Isolate(Info info) {
  return ToJs(info.Env(),
              IsolateModule(ToText(info[0]), static_cast<Isolation>(info[1].As<Napi::Number>().Int32Value())));
}

// (path): [name of the second libcrypto, or "", whether it can be kept apart]
Napi::Value FindSecond(Info info) {
  const SecondLibcrypto second = FindSecondLibcrypto(ToText(info[0]));
  Napi::Array found = Napi::Array::New(info.Env(), 2);
  found.Set(0U, second.name);
  found.Set(1U, second.can_isolate);
  return found;
}

// (path of a configuration file)
Napi::Value ConfiguredModules(Info info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const std::string& path : ModulesOfConfiguration(ToText(info[0]))) list.Set(list.Length(), path);
  return list;
}

// 'process', 'configuration' or undefined.
Napi::Value FindProviderOf(Info info) {
  switch (FindProvider(ToText(info[0]))) {
    case ProviderPlace::kProcess:
      return Napi::String::New(info.Env(), "process");
    case ProviderPlace::kOwnConfiguration:
      return Napi::String::New(info.Env(), "configuration");
    case ProviderPlace::kNowhere:
      break;
  }
  return info.Env().Undefined();
}

// { process, own, accelerator }: whether the contexts are in FIPS mode, and whom the accelerator hands work to.
Napi::Value LibraryContexts(Info info) {
  const LibraryContextState state = GetLibraryContextState();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("process", state.process_in_fips_mode);
  if (state.has_own) object.Set("own", state.own_in_fips_mode);
  if (state.accelerated != nullptr) object.Set("accelerator", state.accelerated);
  return object;
}

// Names of those that configuration files have activated.
Napi::Value ConfiguredProviders(Info info) {
  const std::vector<std::string> names = ActivatedByConfiguration();
  Napi::Array list = Napi::Array::New(info.Env(), names.size());
  for (size_t i = 0; i < names.size(); ++i) list.Set(static_cast<uint32_t>(i), names[i]);
  return list;
}

Napi::Value Configure(Info info) { return ToJs(info.Env(), LoadConfiguration(ToText(info[0]))); }

}  // namespace

void AddProviderExports(Exports& exports) {
  exports.Add("loadProvider", &LoadProvider);
  exports.Add("unloadProvider", &UnloadProvider);
  exports.Add("pollProvider", &PollProvider);
  exports.Add("describeProvider", &DescribeProvider);
  exports.Add("testProvider", &TestProvider);
  exports.Add("providerParameter", &ProviderParameter);
  exports.Add("listProviders", &ListProvidersOf);
  exports.Add("findProvider", &FindProviderOf);
  exports.Add("libraryContexts", &LibraryContexts);
  exports.Add("configuredProviders", &ConfiguredProviders);
  exports.Add("loadConfiguration", &Configure);
  exports.Add("isolateModule", &Isolate);
  exports.Add("secondLibcrypto", &FindSecond);
  exports.Add("configuredModules", &ConfiguredModules);
}

}  // namespace openssl_async
