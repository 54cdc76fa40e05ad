// What configuration files say of providers for the addon's own library context: OpenSSL keeps it to itself.
#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace openssl_async {

struct ConfiguredProvider {
  std::string name;
  std::string module;  // empty where OpenSSL looks for it by name
  bool is_activated = false;
  std::vector<std::pair<std::string, std::string>> parameters;

  // Whether `path` is the file of its module.
  bool IsModule(const std::string& path) const;
};

// Reads a file that OpenSSL has taken for `context`. Any thread.
void RememberConfiguration(OSSL_LIB_CTX* context, const std::string& path);
// What the file that was read first says; nothing for a provider of which none speaks. Any thread.
std::optional<ConfiguredProvider> FindConfigured(const std::string& name);
// Those that files have activated: for ever, in each thread.
std::vector<std::string> ActivatedByConfiguration();

}  // namespace openssl_async
