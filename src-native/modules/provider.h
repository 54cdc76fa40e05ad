// Providers in the addon's own library context: other modules than the accelerator, found by name or path.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace openssl_async {

struct ProviderRequest {
  std::string name;  // of the module's file, without its ending, or of a provider that libcrypto has built in
  std::string path;  // of the module; empty to look for `name` where OpenSSL has its modules
  std::vector<std::pair<std::string, std::string>> parameters;  // that the provider asks the core for
};

struct ProviderInfo {
  std::string name;
  std::string title;  // its own name for itself
  std::string version;
  std::string build_info;
  bool is_active = false;
  std::optional<bool> passes_self_test;  // absent unless asked for
  // By class of operations, named as in openssl-list(1): each algorithm's names, separated by colons.
  std::vector<std::pair<const char*, std::vector<std::string>>> algorithms;
};

class LoadedProvider {
 public:
  static Result<std::unique_ptr<LoadedProvider>> Load(const ProviderRequest& request);
  // Fetched algorithms stay usable; the provider goes with the last of them.
  ~LoadedProvider();
  LoadedProvider(const LoadedProvider&) = delete;
  LoadedProvider& operator=(const LoadedProvider&) = delete;

  ProviderInfo Describe() const;
  // Runs the provider's own tests. A provider without tests passes.
  bool TestItself() const;
  // Reads a parameter that makes the provider look for responses; true when it found some.
  bool Poll(const std::string& parameter) const;
  // A parameter as text; false when the provider has none of this name.
  bool GetParameter(const char* name, std::string* value) const;

 private:
  LoadedProvider(OSSL_PROVIDER* provider, std::string name) : provider_(provider), name_(std::move(name)) {}

  OSSL_PROVIDER* provider_;
  std::string name_;
};

// The name that the provider was loaded under.
std::string NameOf(const OSSL_PROVIDER* provider);

// The providers of the process's library context, or of the addon's own. With `self_test`, each runs its own tests.
Result<std::vector<ProviderInfo>> ListProviders(bool own_library, bool self_test);

// Where operations find a provider that this package was not told to load.
enum class ProviderLocation { kNowhere, kProcess, kOwnConfiguration };
// `name` is the provider's, or the one in queries for its algorithms.
ProviderLocation FindProvider(const std::string& name);

// Reads a configuration file into the addon's own library context, and activates the providers that the file says.
Result<void> LoadConfiguration(const std::string& path);

}  // namespace openssl_async
