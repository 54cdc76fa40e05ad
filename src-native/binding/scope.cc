#include "binding/scope.h"

#include "binding/convert.h"
#include "libraries/library_context.h"

namespace openssl_async {

// [library, properties]: see ProviderScope. Library 1 is this addon's own.
Result<ProviderScope> ToScope(Napi::Value value) {
  ProviderScope scope;
  if (!value.IsArray()) return scope;
  Napi::Array parts = value.As<Napi::Array>();
  const Napi::Value library = parts[0U];
  scope.properties = ToText(parts[1U]);
  const Napi::Value may_pause = parts[2U];
  scope.may_pause = ToBool(may_pause);
  if (ToInt32(library) == 1) {
    Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
    if (!own.ok()) return own.error();
    scope.library_context = own.value();
    if (const Napi::Value backend = parts[4U]; ToText(backend) == "provider:accelerator") {
      if (Result<void> allowed = CheckAccelerator(); !allowed.ok()) return allowed.error();
    }
  }
  return scope;
}

}  // namespace openssl_async
