// Where OpenSSL looks for algorithms: a library context, and a query that chooses among its providers.
#pragma once

#include <openssl/types.h>

#include <string>

namespace openssl_async {

struct ProviderScope {
  OSSL_LIB_CTX* library_context = nullptr;  // null for the process's default
  std::string properties;                   // as property(7); empty for none
  bool may_pause = false;                   // its operations are run as jobs

  const char* query() const { return properties.empty() ? nullptr : properties.c_str(); }
};

}  // namespace openssl_async
