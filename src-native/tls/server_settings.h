// What the connections of a server have in common. Immutable: a change is a new object, for later connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tls/context.h"
#include "tls/contract.h"
#include "tls/handshake_terms.h"

namespace openssl_async {

struct NamedContext {
  std::string pattern;  // a name, in which each `*` stands for characters that are no dot
  std::shared_ptr<TlsContext> context;
};

struct ServerSettings : HandshakeTerms {
  std::shared_ptr<TlsContext> context;
  std::vector<NamedContext> names;  // later ones win
  std::string protocols;            // of ALPN, each behind its length; empty: none is chosen
  std::string session_context;      // sessions are not resumed in another one
  std::string key_hint;             // for clients that share a key; empty for none
  uint32_t flags = 0;
  size_t max_handshakes = 10'000;  // at a time, whose clients wait for our answer; further ones wait before it begins

  uint32_t max_early_data = 0;  // bytes of a client; 0: none is accepted

  bool Has(TlsServerFlag flag) const { return (flags & static_cast<uint32_t>(flag)) != 0; }
  // Has the contexts tell their connections' secrets, see Connection::LogKey().
  void LogKeys() const;
  // The context for a server's name.
  const std::shared_ptr<TlsContext>& Find(const std::string& server_name) const;
};

// Whether `name` is one of those that `pattern` stands for. Without regard to case.
bool MatchesName(const std::string& pattern, const std::string& name);

}  // namespace openssl_async
