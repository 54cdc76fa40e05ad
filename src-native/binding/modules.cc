// Modules that bring a libcrypto of their own.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"
#include "modules/module_isolation.h"
#include "modules/provider_configuration.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// (path, an Isolation)
Napi::Value Isolate(Info info) {
  return ToJs(info.Env(), IsolateModule(ToText(info[0]), static_cast<Isolation>(ToInt32(info[1]))));
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
Napi::Value ConfiguredModules(Info info) { return ToJs(info.Env(), ModulesOfConfiguration(ToText(info[0]))); }

}  // namespace

void AddModuleExports(Exports& addon) {
  Exports modules = addon.Subject("modules");
  modules.Add("isolate", &Isolate);
  modules.Add("secondLibcrypto", &FindSecond);
  modules.Add("ofConfiguration", &ConfiguredModules);
}

}  // namespace openssl_async
