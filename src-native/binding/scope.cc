#include "binding/scope.h"

#include "binding/convert.h"
#include "libraries/library_context.h"

namespace openssl_async {

Result<Scope> ToScope(Napi::Value value) {
  Scope scope;
  if (!value.IsObject()) return scope;
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value may_pause = object.Get("mayPause");
  const Napi::Value blocks = object.Get("blocks");
  scope.provider.properties = ToText(object.Get("properties"));
  scope.provider.may_pause = ToBool(may_pause);
  scope.blocks = ToBool(blocks);
  scope.backend = ToText(object.Get("backend"));
  if (ToText(object.Get("library")) != "own") return scope;
  Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
  if (!own.ok()) return own.error();
  scope.provider.library_context = own.value();
  if (scope.backend == "provider:accelerator") {
    if (Result<void> allowed = CheckAccelerator(); !allowed.ok()) return allowed.error();
  }
  return scope;
}

}  // namespace openssl_async
