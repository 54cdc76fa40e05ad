// Providers in the configuration files of the addon's own library context. OpenSSL keeps these settings to itself.
#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace openssl_async {

struct ConfiguredProvider {
  std::string name;
  std::string module;  // empty when OpenSSL looks for it by name
  bool is_activated = false;
  std::vector<std::pair<std::string, std::string>> parameters;

  // Whether `path` is the file of its module.
  bool IsModule(const std::string& path) const;
};

// Reads a file that OpenSSL has loaded into `context`. Any thread.
void RememberConfiguration(OSSL_LIB_CTX* context, const std::string& path);
// The settings in the first file that names the provider; nothing when no file does. Any thread.
std::optional<ConfiguredProvider> FindConfigured(const std::string& name);
// Names of the providers that files have activated, for ever and for all threads.
std::vector<std::string> ActivatedByConfiguration();

}  // namespace openssl_async
