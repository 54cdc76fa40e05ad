#include "modules/provider.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>

#include "libraries/library_context.h"
#include "modules/module.h"
#include "modules/provider_configuration.h"
#include "openssl/error_queue.h"
#include "openssl/pointers.h"

namespace openssl_async {

namespace {

using ConfPointer = DeleteFnPtr<CONF, NCONF_free>;
using BioPointer = DeleteFnPtr<BIO, BIO_free_all>;

constexpr char kNumbered = '#';

constexpr std::pair<const char*, int> kOperations[] = {
    {"digests", OSSL_OP_DIGEST},
    {"ciphers", OSSL_OP_CIPHER},
    {"macs", OSSL_OP_MAC},
    {"kdfs", OSSL_OP_KDF},
    {"randoms", OSSL_OP_RAND},
    {"keyManagers", OSSL_OP_KEYMGMT},
    {"keyExchanges", OSSL_OP_KEYEXCH},
    {"signatures", OSSL_OP_SIGNATURE},
    {"asymCiphers", OSSL_OP_ASYM_CIPHER},
    {"kems", OSSL_OP_KEM},
    {"encoders", OSSL_OP_ENCODER},
    {"decoders", OSSL_OP_DECODER},
    {"stores", OSSL_OP_STORE},
};

Error NotLoaded(const std::string& message) {
  return Error{"ERR_ASYNC_PROVIDER_NOT_LOADED", message, ErrorQueue::Take().Lines()};
}

// Quotes as config(5) requires: only these two characters are special within quotes. Values have no line breaks.
std::string Quoted(const std::string& value) {
  std::string quoted = "\"";
  for (const char character : value) {
    if (character == '"' || character == '\\') quoted += '\\';
    quoted += character;
  }
  return quoted + '"';
}

// Tells the library context the module's path and parameters. A line `activate`, whatever its value, would activate the
// provider.
bool Announce(OSSL_LIB_CTX* context, const ProviderRequest& request, const std::string& identity) {
  std::string text =
      "openssl_conf = init\n[init]\nproviders = list\n[list]\nnew = section\n[section]\nidentity = " + Quoted(identity);
  text += "\nmodule = " + Quoted(request.path.empty() ? request.name : PathForOpenSSL(request.path)) + "\n";
  for (const auto& [name, value] : request.parameters) text += name + " = " + Quoted(value) + "\n";
  const BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const ConfPointer conf(NCONF_new_ex(context, nullptr));
  return bio && conf && NCONF_load_bio(conf.get(), bio.get(), nullptr) > 0 &&
         CONF_modules_load(conf.get(), nullptr, 0) > 0;
}

// OpenSSL fixes a module's path and parameters with the first use of a name, for ever. So each setting gets a name of
// its own.
class Identities {
 public:
  static Result<std::string> Of(OSSL_LIB_CTX* context, const ProviderRequest& given) {
    Result<ProviderRequest> completed = Complete(given);
    if (!completed.ok()) return completed.error();
    const ProviderRequest& request = completed.value();
    if (request.path.empty() && request.parameters.empty()) return request.name;
    static auto* const identities = new Identities();
    const std::lock_guard<std::mutex> lock(identities->mutex_);
    std::string& identity = identities->by_setting_[{request.name, request.path, request.parameters}];
    if (!identity.empty()) return identity;
    std::string made = request.name + kNumbered + std::to_string(identities->by_setting_.size());
    if (!Announce(context, request, made)) return NotLoaded("OpenSSL does not take these parameters for a provider");
    identity = made;
    return made;
  }

 private:
  // Adds the parameters that configuration files have for the provider. A provider that they have set up already is
  // taken as it is: a module that is loaded twice has one state, and would lose its parameters.
  static Result<ProviderRequest> Complete(const ProviderRequest& given) {
    const std::optional<ConfiguredProvider> configured = FindConfigured(given.name);
    if (!configured) return given;
    const bool is_same_module = given.path.empty() || configured->IsModule(given.path);
    const bool adds_nothing = given.path.empty() || configured->is_activated || !configured->module.empty();
    if (is_same_module && given.parameters.empty() && adds_nothing) return ProviderRequest{given.name, "", {}};
    if (configured->is_activated) {
      return Error{"ERR_ASYNC_CONFIGURATION",
                   "A configuration file already activates the provider '" + given.name +
                       "' with its own module and parameters: leave them out here, or the line 'activate' there",
                   {}};
    }
    ProviderRequest request = given;
    if (request.path.empty()) request.path = configured->module;
    for (const auto& parameter : configured->parameters) {
      const auto is_it = [&](const auto& other) { return other.first == parameter.first; };
      if (is_same_module && std::none_of(given.parameters.begin(), given.parameters.end(), is_it)) {
        request.parameters.push_back(parameter);
      }
    }
    return request;
  }

  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, std::vector<std::pair<std::string, std::string>>>, std::string>
      by_setting_;
};

bool GetText(const OSSL_PROVIDER* provider, const char* name, std::string* value) {
  const char* text = nullptr;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr(name, const_cast<char**>(&text), 0), OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider, params) != 1 || OSSL_PARAM_modified(params) != 1 || text == nullptr) {
    return false;
  }
  *value = text;
  return true;
}

std::string ModuleFile(const std::string& name) {
  const char* folder = getenv("OPENSSL_MODULES");
  if (folder == nullptr) folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
  const char* ending = OPENSSL_info(OPENSSL_INFO_DSO_EXTENSION);
  const char* separator = OPENSSL_info(OPENSSL_INFO_DIR_FILENAME_SEPARATOR);
  const auto text = [](const char* part) { return std::string(part == nullptr ? "" : part); };
  return text(folder) + text(separator) + name + text(ending);
}

// Says where OpenSSL looked.
std::string WhyNot(const ProviderRequest& request) {
  const std::string what = "The provider '" + request.name + "' cannot be loaded: ";
  if (!request.path.empty()) return what + "its module '" + request.path + "' does not work here";
  if (const auto configured = FindConfigured(request.name); configured && !configured->module.empty()) {
    return what + "the module '" + configured->module + "' that a configuration file names does not work here";
  }
  return what + "OpenSSL does not have it built in, and the module '" + ModuleFile(request.name) +
         "' is missing or does not work here. The folder is OpenSSL's own, or is set by "
         "OPENSSL_MODULES; `path` names a module elsewhere";
}

bool IsSameName(const std::string& one, const std::string& other) {
  const auto is_same = [](unsigned char a, unsigned char b) { return tolower(a) == tolower(b); };
  return one.size() == other.size() && std::equal(one.begin(), one.end(), other.begin(), is_same);
}

// Queries compare a property of the algorithms. A configuration file can change the provider's name, but not this
// property.
bool HasAlgorithmsOf(OSSL_PROVIDER* provider, const std::string& name) {
  constexpr char kKey[] = "provider=";
  for (const auto& [title, operation] : kOperations) {
    int no_cache = 0;
    const OSSL_ALGORITHM* algorithms = OSSL_PROVIDER_query_operation(provider, operation, &no_cache);
    if (algorithms == nullptr) continue;
    const char* properties = algorithms->algorithm_names == nullptr ? nullptr : algorithms->property_definition;
    const std::string definition = properties == nullptr ? "" : properties;
    OSSL_PROVIDER_unquery_operation(provider, operation, algorithms);
    if (const size_t at = definition.find(kKey); at != std::string::npos) {
      const size_t begin = at + sizeof(kKey) - 1;
      return IsSameName(definition.substr(begin, definition.find(',', begin) - begin), name);
    }
  }
  return false;
}

// Finds a provider by its own name or its algorithms' property. Only those in `among` count; null for all.
bool HasProvider(OSSL_LIB_CTX* library, const std::string& name, const std::vector<std::string>* among) {
  struct Search {
    const std::string& name;
    const std::vector<std::string>* among;
    bool found;
  } search{name, among, false};
  const auto look = [](OSSL_PROVIDER* provider, void* argument) {
    auto* wanted = static_cast<Search*>(argument);
    const std::string own_name = NameOf(provider);
    const bool counts = wanted->among == nullptr ||
                        std::find(wanted->among->begin(), wanted->among->end(), own_name) != wanted->among->end();
    wanted->found =
        wanted->found || (counts && (IsSameName(own_name, wanted->name) || HasAlgorithmsOf(provider, wanted->name)));
    return 1;
  };
  OSSL_PROVIDER_do_all(library, look, &search);
  return search.found;
}

ProviderInfo DescribeProvider(OSSL_PROVIDER* provider, std::string name) {
  const ErrorQueueScope errors;
  ProviderInfo info;
  info.name = std::move(name);
  GetText(provider, OSSL_PROV_PARAM_NAME, &info.title);
  GetText(provider, OSSL_PROV_PARAM_VERSION, &info.version);
  GetText(provider, OSSL_PROV_PARAM_BUILDINFO, &info.build_info);
  int status = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &status), OSSL_PARAM_construct_end()};
  info.is_active = OSSL_PROVIDER_get_params(provider, params) == 1 && status == 1;
  for (const auto& [title, operation] : kOperations) {
    int no_cache = 0;
    const OSSL_ALGORITHM* algorithms = OSSL_PROVIDER_query_operation(provider, operation, &no_cache);
    if (algorithms == nullptr) continue;
    std::vector<std::string> names;
    for (const OSSL_ALGORITHM* each = algorithms; each->algorithm_names != nullptr; ++each) {
      names.emplace_back(each->algorithm_names);
    }
    OSSL_PROVIDER_unquery_operation(provider, operation, algorithms);
    if (!names.empty()) info.algorithms.emplace_back(title, std::move(names));
  }
  return info;
}

bool PassesSelfTest(const OSSL_PROVIDER* provider) {
  const ErrorQueueScope errors;
  return OSSL_PROVIDER_self_test(provider) == 1;
}

}  // namespace

Result<std::unique_ptr<LoadedProvider>> LoadedProvider::Load(const ProviderRequest& request) {
  const ErrorQueueScope errors;
  Result<OSSL_LIB_CTX*> context = AcceleratorLibraryContext();
  if (!context.ok()) return context.error();
  if (!request.path.empty()) {
    if (Result<void> checked = CheckModule(request.path, "OSSL_provider_init"); !checked.ok()) return checked.error();
  }
  Result<std::string> identity = Identities::Of(context.value(), request);
  if (!identity.ok()) return identity.error();
  OSSL_PROVIDER* provider = OSSL_PROVIDER_load(context.value(), identity.value().c_str());
  if (provider == nullptr) return NotLoaded(WhyNot(request));
  return std::unique_ptr<LoadedProvider>(new LoadedProvider(provider, request.name));
}

LoadedProvider::~LoadedProvider() {
  const ErrorQueueScope errors;
  OSSL_PROVIDER_unload(provider_);
}

ProviderInfo LoadedProvider::Describe() const { return DescribeProvider(provider_, name_); }

bool LoadedProvider::TestItself() const { return PassesSelfTest(provider_); }

bool LoadedProvider::Poll(const std::string& parameter) const {
  const ErrorQueueScope errors;
  int found = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(parameter.c_str(), &found), OSSL_PARAM_construct_end()};
  return OSSL_PROVIDER_get_params(provider_, params) == 1 && found > 0;
}

bool LoadedProvider::GetParameter(const char* name, std::string* value) const {
  const ErrorQueueScope errors;
  if (GetText(provider_, name, value)) return true;
  uint64_t number = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_uint64(name, &number), OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider_, params) != 1 || OSSL_PARAM_modified(params) != 1) return false;
  *value = std::to_string(number);
  return true;
}

std::string NameOf(const OSSL_PROVIDER* provider) {
  const std::string name = OSSL_PROVIDER_get0_name(provider);
  return name.substr(0, name.find(kNumbered));
}

Result<std::vector<ProviderInfo>> ListProviders(bool own_library, bool self_test) {
  const ErrorQueueScope errors;
  OSSL_LIB_CTX* library = nullptr;
  if (own_library) {
    Result<OSSL_LIB_CTX*> context = AcceleratorLibraryContext();
    if (!context.ok()) return context.error();
    library = context.value();
  }
  struct Listing {
    bool self_test;
    std::vector<ProviderInfo> found;
  } listing{self_test, {}};
  const auto add = [](OSSL_PROVIDER* provider, void* argument) {
    auto* list = static_cast<Listing*>(argument);
    list->found.push_back(DescribeProvider(provider, NameOf(provider)));
    if (list->self_test) list->found.back().passes_self_test = PassesSelfTest(provider);
    return 1;
  };
  OSSL_PROVIDER_do_all(library, add, &listing);
  return std::move(listing.found);
}

ProviderLocation FindProvider(const std::string& name) {
  const ErrorQueueScope errors;
  if (const std::vector<std::string> activated = ActivatedByConfiguration(); !activated.empty()) {
    Result<OSSL_LIB_CTX*> own = AcceleratorLibraryContext();
    if (own.ok() && HasProvider(own.value(), name, &activated)) return ProviderLocation::kOwnConfiguration;
  }
  return HasProvider(nullptr, name, nullptr) ? ProviderLocation::kProcess : ProviderLocation::kNowhere;
}

Result<void> LoadConfiguration(const std::string& path) {
  const ErrorQueueScope errors;
  Result<OSSL_LIB_CTX*> context = AcceleratorLibraryContext();
  if (!context.ok()) return context.error();
  if (OSSL_LIB_CTX_load_config(context.value(), path.c_str()) == 1) {
    RememberConfiguration(context.value(), path);
    return {};
  }
  return Error{"ERR_ASYNC_CONFIGURATION", "OpenSSL cannot use the configuration file '" + path + "'",
               ErrorQueue::Take().Lines()};
}

}  // namespace openssl_async
