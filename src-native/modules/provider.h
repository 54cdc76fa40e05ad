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
  std::vector<std::pair<std::string, std::string>> parameters;  // what the provider asks the core for
};

struct ProviderInfo {
  std::string name;
  std::string title;  // what it calls itself
  std::string version;
  std::string build_info;
  bool is_active = false;
  std::optional<bool> passes_self_test;  // where that was asked for
  // By the class of operations, as openssl-list(1) names them: the names of each algorithm, colons in between.
  std::vector<std::pair<const char*, std::vector<std::string>>> algorithms;
};

class LoadedProvider {
 public:
  static Result<std::unique_ptr<LoadedProvider>> Load(const ProviderRequest& request);
  // What was fetched from it stays usable; it is gone when that is.
  ~LoadedProvider();
  LoadedProvider(const LoadedProvider&) = delete;
  LoadedProvider& operator=(const LoadedProvider&) = delete;

  ProviderInfo Describe() const;
  // Its own tests; those of a provider without any pass.
  bool TestItself() const;
  // Reads a parameter that makes the provider look for responses, and says how many it found.
  bool Poll(const std::string& parameter) const;
  // A parameter that it has, as text; false when it has none of this name.
  bool GetParameter(const char* name, std::string* value) const;

 private:
  LoadedProvider(OSSL_PROVIDER* provider, std::string name) : provider_(provider), name_(std::move(name)) {}

  OSSL_PROVIDER* provider_;
  std::string name_;
};

// By what name it was loaded.
std::string NameOf(const OSSL_PROVIDER* provider);

// Of the process's library context, or of the addon's own; with `self_test`, each runs its own tests.
Result<std::vector<ProviderInfo>> ListProviders(bool own_library, bool self_test);

// Where operations find a provider that this package was not told to load.
enum class ProviderPlace { kNowhere, kProcess, kOwnConfiguration };
// `name`: as it was loaded, or as queries name its algorithms.
ProviderPlace FindProvider(const std::string& name);

// Reads a configuration file into the addon's own library context. It activates the providers that the file says.
Result<void> LoadConfiguration(const std::string& path);

}  // namespace openssl_async
