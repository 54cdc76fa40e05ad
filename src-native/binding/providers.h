// Providers: module exports.
#pragma once

#include <napi.h>

namespace openssl_async {

void AddProviderExports(Napi::Env env, Napi::Object exports);

}  // namespace openssl_async
