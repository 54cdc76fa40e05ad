// What a client wants of a connection.
#pragma once

#include <memory>
#include <string>

#include "base/secret_text.h"
#include "tls/context.h"
#include "tls/contract.h"
#include "tls/handshake_terms.h"
#include "tls/inline_budget.h"
#include "tls/pointers.h"
#include "tls/shared_key.h"
#include "tls/trusted_roots.h"

namespace openssl_async {

struct ClientSettings : HandshakeTerms {
  std::shared_ptr<TlsContext> context;
  std::shared_ptr<const TrustedRoots> roots;  // null: the context knows whom to trust
  std::string server_name;                    // empty: the server is not told
  std::string protocols;                      // of ALPN, each behind its length; empty: none is offered
  SslSessionPointer session;                  // to resume; null for none
  SharedKey key;
  SecretText early_data;  // sent with the hello where the session allows it; empty for none
  uint32_t flags = 0;
  std::shared_ptr<InlineBudget> inline_budget;  // of the event loop

  bool Has(TlsClientFlag flag) const { return (flags & static_cast<uint32_t>(flag)) != 0; }
};

}  // namespace openssl_async
