// The scope that algorithms are looked for in, as JavaScript gives it: NativeScope in lib/native/contract/scope.ts.
#pragma once

#include <napi.h>

#include <string>

#include "base/result.h"
#include "keys/provider_scope.h"

namespace openssl_async {

struct Scope {
  ProviderScope provider;
  bool blocks = false;  // operations hold the thread while somebody else does the work
  std::string backend;  // the backend's name in the statistics; empty for OpenSSL itself
};

// For undefined, the process's library without a query.
Result<Scope> ToScope(Napi::Value value);

}  // namespace openssl_async
