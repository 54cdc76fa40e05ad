// Where algorithms are looked for.
#pragma once

#include <napi.h>

#include "base/result.h"
#include "keys/provider_scope.h"

namespace openssl_async {

Result<ProviderScope> ToScope(Napi::Value value);

}  // namespace openssl_async
