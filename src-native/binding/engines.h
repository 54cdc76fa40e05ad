// Engines: module exports.
#pragma once

#include <napi.h>

namespace openssl_async {

void AddEngineExports(Napi::Env env, Napi::Object exports);

}  // namespace openssl_async
