// What JavaScript calls with OpenSSL's error queue as it was before.
#pragma once

#include <napi.h>

namespace openssl_async {

void AddErrorScopeExports(Napi::Env env, Napi::Object exports);

}  // namespace openssl_async
