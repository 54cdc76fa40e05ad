// The exports that keys and operations need; contract.ts describes them.
#pragma once

#include <napi.h>

namespace openssl_async {

void AddOperationExports(Napi::Env env, Napi::Object exports);

}  // namespace openssl_async
