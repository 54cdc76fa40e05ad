// The process's library context and the addon's own.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"
#include "libraries/library_context.h"
#include "modules/provider.h"
#include "modules/provider_configuration.h"
#include "openssl/fips.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// { process, own, accelerator }: whether the contexts are in FIPS mode, and the accelerator's inner provider.
Napi::Value LibraryContexts(Info info) {
  const LibraryContextState state = GetLibraryContextState();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("process", state.process_in_fips_mode);
  if (state.has_own) object.Set("own", state.own_in_fips_mode);
  if (state.accelerated != nullptr) object.Set("accelerator", state.accelerated);
  return object;
}

// The names of the providers that configuration files have activated.
Napi::Value ConfiguredProviders(Info info) { return ToJs(info.Env(), ActivatedByConfiguration()); }

Napi::Value Configure(Info info) { return ToJs(info.Env(), LoadConfiguration(ToText(info[0]))); }

Napi::Value InFipsModeOf(Info info) { return Napi::Boolean::New(info.Env(), InFipsMode()); }

}  // namespace

void AddLibraryExports(Exports& addon) {
  Exports libraries = addon.Subject("libraries");
  libraries.Add("contexts", &LibraryContexts);
  libraries.Add("configuredProviders", &ConfiguredProviders);
  libraries.Add("loadConfiguration", &Configure);
  libraries.Add("inFipsMode", &InFipsModeOf);
}

}  // namespace openssl_async
