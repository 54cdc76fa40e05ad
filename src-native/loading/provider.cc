#include "loading/provider.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <map>
#include <mutex>
#include <tuple>

#include "accelerator/library_context.h"
#include "loading/module.h"
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

// As config(5) has it: within quotes nothing but these two means anything. There are no line breaks.
std::string Quoted(const std::string& value) {
  std::string quoted = "\"";
  for (const char character : value) {
    if (character == '"' || character == '\\') quoted += '\\';
    quoted += character;
  }
  return quoted + '"';
}

// Tells the library context where the module is and what it may ask for. OpenSSL activates what has a line `activate`,
// whatever it says.
bool Announce(OSSL_LIB_CTX* context, const ProviderRequest& request, const std::string& identity) {
  std::string text =
      "openssl_conf = init\n[init]\nproviders = list\n[list]\nnew = section\n[section]\nidentity = " + Quoted(identity);
  text += "\nmodule = " + Quoted(request.path.empty() ? request.name : request.path) + "\n";
  for (const auto& [name, value] : request.parameters) text += name + " = " + Quoted(value) + "\n";
  const BioPointer bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const ConfPointer conf(NCONF_new_ex(context, nullptr));
  return bio && conf && NCONF_load_bio(conf.get(), bio.get(), nullptr) > 0 &&
         CONF_modules_load(conf.get(), nullptr, 0) > 0;
}

// Where a module is and what it may ask for is fixed with the first use of a name, and kept for ever: each such setting
// has a name of its own.
class Identities {
 public:
  static Result<std::string> Of(OSSL_LIB_CTX* context, const ProviderRequest& request) {
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
  if (provider == nullptr) return NotLoaded("The provider '" + request.name + "' cannot be loaded");
  return std::unique_ptr<LoadedProvider>(new LoadedProvider(provider, request.name));
}

LoadedProvider::~LoadedProvider() { OSSL_PROVIDER_unload(provider_); }

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

Result<void> LoadConfiguration(const std::string& path) {
  const ErrorQueueScope errors;
  Result<OSSL_LIB_CTX*> context = AcceleratorLibraryContext();
  if (!context.ok()) return context.error();
  if (OSSL_LIB_CTX_load_config(context.value(), path.c_str()) == 1) return {};
  return Error{"ERR_ASYNC_CONFIGURATION", "OpenSSL cannot use the configuration file '" + path + "'",
               ErrorQueue::Take().Lines()};
}

}  // namespace openssl_async
