// Where algorithms are looked for, as JavaScript says it: NativeScope in lib/native/contract/scope.ts.
#pragma once

#include <napi.h>

#include <string>

#include "base/result.h"
#include "keys/provider_scope.h"

namespace openssl_async {

struct Scope {
  ProviderScope provider;
  bool blocks = false;  // operations hold the thread while somebody else does the work
  std::string backend;  // who does the work, for the statistics; empty for OpenSSL itself
};

// The process's library, without a query, for undefined.
Result<Scope> ToScope(Napi::Value value);

}  // namespace openssl_async
