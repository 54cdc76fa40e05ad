// The certificates that clients trust without being told: read once, and in one store for all of their contexts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tls/pointers.h"

namespace openssl_async {

class TrustedRoots {
 public:
  // `pems`: certificates. `uses_paths`: those that OpenSSL finds by its own paths, too.
  static Result<std::shared_ptr<TrustedRoots>> Create(const std::vector<std::string>& pems, bool uses_paths);
  TrustedRoots(const TrustedRoots&) = delete;
  TrustedRoots& operator=(const TrustedRoots&) = delete;

  // Of all connections; nothing is added to it.
  X509_STORE* store() const { return store_.get(); }
  // For a context that trusts others beside them.
  [[nodiscard]] bool AddTo(X509_STORE* store) const;

 private:
  TrustedRoots() = default;

  std::vector<X509Pointer> certificates_;
  bool uses_paths_ = false;
  X509StorePointer store_;
};

}  // namespace openssl_async
