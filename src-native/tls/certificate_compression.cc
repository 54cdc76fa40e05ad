#include "tls/certificate_compression.h"

#include "openssl/error_queue.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

constexpr int kMostAlgorithms = 3;

std::vector<int> FindKnown() {
  std::vector<int> known;
  const auto set_preference = GetOptionalSymbols().ssl_ctx_set1_cert_comp_preference;
  if (set_preference == nullptr) return known;
  const ErrorQueueScope scope;
  const SslCtxPointer context(SSL_CTX_new(TLS_method()));
  for (int algorithm = 1; context != nullptr && algorithm <= kMostAlgorithms; ++algorithm) {
    int only[] = {algorithm};
    if (set_preference(context.get(), only, 1) == 1) known.push_back(algorithm);
  }
  return known;
}

}  // namespace

const std::vector<int>& KnownCompressions() {
  static const auto* known = new std::vector<int>(FindKnown());
  return *known;
}

bool UseCompressions(SSL_CTX* context, const std::vector<int>& algorithms) {
  if (KnownCompressions().empty()) return true;
  const OptionalSymbols& symbols = GetOptionalSymbols();
  std::vector<int> copy = algorithms;
  if (symbols.ssl_ctx_set1_cert_comp_preference(context, copy.data(), copy.size()) != 1) return false;
  // It fails without a certificate, and for one that does not become shorter: that one is sent as it is.
  if (!algorithms.empty() && symbols.ssl_ctx_compress_certs != nullptr) symbols.ssl_ctx_compress_certs(context, 0);
  return true;
}

}  // namespace openssl_async
