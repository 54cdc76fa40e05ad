#include "modules/provider_configuration.h"

#include <openssl/conf.h>
#include <openssl/provider.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "openssl/pointers.h"

namespace openssl_async {

namespace {

using ConfPointer = DeleteFnPtr<CONF, NCONF_free>;

struct Configuration {
  std::mutex mutex;
  std::vector<ConfiguredProvider> providers;

  static Configuration& Get() {
    static auto* const configuration = new Configuration();
    return *configuration;
  }
};

// Follows links. A missing file's path is returned as it is.
std::string RealPath(const std::string& path) {
#ifdef _WIN32
  char* found = _fullpath(nullptr, path.c_str(), 0);
#else
  char* found = realpath(path.c_str(), nullptr);
#endif
  std::string real = found == nullptr ? path : found;
  free(found);
  return real;
}

std::string BaseName(const std::string& path) {
  const size_t slash = path.find_last_of("/\\");
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.substr(0, file.rfind('.'));
}

bool IsAbsolute(const std::string& path) {
  return !path.empty() && (path[0] == '/' || path[0] == '\\' || (path.size() > 1 && path[1] == ':'));
}

// Names may have a prefix that means nothing: see config(5).
const char* WithoutPrefix(const char* name) {
  const char* dot = strchr(name, '.');
  return dot == nullptr ? name : dot + 1;
}

// Reads a provider's section as OpenSSL does.
ConfiguredProvider ReadSection(const CONF* conf, const CONF_VALUE* entry) {
  ConfiguredProvider provider;
  provider.name = WithoutPrefix(entry->name);
  const STACK_OF(CONF_VALUE)* section = NCONF_get_section(conf, entry->value);
  for (int i = 0; i < sk_CONF_VALUE_num(section); ++i) {
    const CONF_VALUE* line = sk_CONF_VALUE_value(section, i);
    const std::string name = WithoutPrefix(line->name);
    if (name == "identity") {
      provider.name = line->value;
    } else if (name == "module") {
      provider.module = line->value;
    } else if (name == "activate") {
      provider.is_activated = true;
    } else if (name != "soft_load") {
      provider.parameters.emplace_back(line->name, line->value);
    }
  }
  return provider;
}

}  // namespace

bool ConfiguredProvider::IsModule(const std::string& path) const {
  if (module.empty()) return BaseName(path) == name;
  return IsAbsolute(module) ? RealPath(module) == RealPath(path) : BaseName(module) == BaseName(path);
}

void RememberConfiguration(OSSL_LIB_CTX* context, const std::string& path) {
  const ConfPointer conf(NCONF_new(nullptr));
  if (!conf || NCONF_load(conf.get(), path.c_str(), nullptr) <= 0) return;
  const char* init = NCONF_get_string(conf.get(), nullptr, "openssl_conf");
  const char* list = init == nullptr ? nullptr : NCONF_get_string(conf.get(), init, "providers");
  const STACK_OF(CONF_VALUE)* section = list == nullptr ? nullptr : NCONF_get_section(conf.get(), list);
  Configuration& configuration = Configuration::Get();
  const std::lock_guard<std::mutex> lock(configuration.mutex);
  for (int i = 0; section != nullptr && i < sk_CONF_VALUE_num(section); ++i) {
    ConfiguredProvider provider = ReadSection(conf.get(), sk_CONF_VALUE_value(section, i));
    // Versions of OpenSSL differ in the values of `activate` that they accept, so the library context is asked.
    provider.is_activated = provider.is_activated && OSSL_PROVIDER_available(context, provider.name.c_str()) == 1;
    const auto is_it = [&](const ConfiguredProvider& other) { return other.name == provider.name; };
    const auto known = std::find_if(configuration.providers.begin(), configuration.providers.end(), is_it);
    if (known == configuration.providers.end()) {
      configuration.providers.push_back(std::move(provider));
    } else {
      known->is_activated = known->is_activated || provider.is_activated;
    }
  }
}

std::optional<ConfiguredProvider> FindConfigured(const std::string& name) {
  Configuration& configuration = Configuration::Get();
  const std::lock_guard<std::mutex> lock(configuration.mutex);
  for (const ConfiguredProvider& provider : configuration.providers) {
    if (provider.name == name) return provider;
  }
  return std::nullopt;
}

std::vector<std::string> ActivatedByConfiguration() {
  Configuration& configuration = Configuration::Get();
  const std::lock_guard<std::mutex> lock(configuration.mutex);
  std::vector<std::string> names;
  for (const ConfiguredProvider& provider : configuration.providers) {
    if (provider.is_activated) names.push_back(provider.name);
  }
  return names;
}

}  // namespace openssl_async
