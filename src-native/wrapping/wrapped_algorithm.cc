#include "wrapping/wrapped_algorithm.h"

#include <openssl/provider.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

#include "base/lasting.h"
#include "openssl/fips.h"

namespace openssl_async {

namespace {

bool HasName(const char* names, const char* name) {
  const size_t size = strlen(name);
  for (const char* at = names; at != nullptr; at = strchr(at, ':')) {
    if (*at == ':') ++at;
    if (strncmp(at, name, size) == 0 && (at[size] == ':' || at[size] == '\0')) return true;
  }
  return false;
}

}  // namespace

FunctionTable::FunctionTable(const OSSL_DISPATCH* functions) {
  for (; functions->function_id != 0; ++functions) {
    if (functions->function_id < kFunctions) functions_[functions->function_id] = functions->function;
  }
}

bool WrappedAlgorithm::Is(const char* name) const { return HasName(implementation.algorithm_names, name); }

const DefaultProvider* DefaultProvider::Get() {
  static Lasting<const DefaultProvider*> lasting;
  Result<const DefaultProvider**> provider = lasting.Get([]() -> Result<const DefaultProvider*> {
    if (const DefaultProvider* loaded = InFipsMode() ? LoadFips() : Load(); loaded != nullptr) return loaded;
    return Error{};
  });
  return provider.ok() ? *provider.value() : nullptr;
}

const DefaultProvider* DefaultProvider::Load() {
  OSSL_LIB_CTX* library_context = OSSL_LIB_CTX_new();
  if (library_context == nullptr) return nullptr;
  OSSL_PROVIDER* loaded = OSSL_PROVIDER_load(library_context, "default");
  if (loaded == nullptr) {
    OSSL_LIB_CTX_free(library_context);
    return nullptr;
  }
  return Make(library_context, loaded, false);
}

// Finds the FIPS provider under whatever name it was configured.
const DefaultProvider* DefaultProvider::LoadFips() {
  std::string name;
  const auto look = [](OSSL_PROVIDER* provider, void* found) {
    int no_cache = 0;
    const OSSL_ALGORITHM* digests = OSSL_PROVIDER_query_operation(provider, OSSL_OP_DIGEST, &no_cache);
    const bool is_fips = digests != nullptr && digests->algorithm_names != nullptr &&
                         digests->property_definition != nullptr &&
                         strstr(digests->property_definition, "fips=yes") != nullptr;
    OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_DIGEST, digests);
    if (is_fips) *static_cast<std::string*>(found) = OSSL_PROVIDER_get0_name(provider);
    return is_fips ? 0 : 1;
  };
  OSSL_PROVIDER_do_all(nullptr, look, &name);
  OSSL_PROVIDER* loaded = name.empty() ? nullptr : OSSL_PROVIDER_try_load(nullptr, name.c_str(), 1);
  return loaded == nullptr ? nullptr : Make(nullptr, loaded, true);
}

const DefaultProvider* DefaultProvider::Make(OSSL_LIB_CTX* library_context, OSSL_PROVIDER* loaded, bool is_fips) {
  auto* provider = new DefaultProvider();
  provider->library_context_ = library_context;
  provider->provider_ = loaded;
  provider->context_ = OSSL_PROVIDER_get0_provider_ctx(loaded);
  provider->is_fips_ = is_fips;
  return provider;
}

const OSSL_ALGORITHM* DefaultProvider::Query(int operation) const {
  int no_cache = 0;
  return OSSL_PROVIDER_query_operation(provider_, operation, &no_cache);
}

const char* PropertiesAs(const char* provider, const OSSL_ALGORITHM& algorithm) {
  static auto* const mutex = new std::mutex();
  static auto* const known = new std::set<std::string>();  // never moves its elements
  const std::string definition = algorithm.property_definition == nullptr ? "" : algorithm.property_definition;
  const size_t rest = definition.find(',');
  std::string properties = std::string("provider=") + provider;
  if (rest != std::string::npos) properties += definition.substr(rest);
  const std::lock_guard<std::mutex> lock(*mutex);
  return known->insert(std::move(properties)).first->c_str();
}

std::vector<OSSL_DISPATCH> OnlyImplemented(const FunctionTable& table, std::vector<OSSL_DISPATCH> functions) {
  const auto lacks = [&table](const OSSL_DISPATCH& function) { return !table.Has(function.function_id); };
  functions.erase(std::remove_if(functions.begin(), functions.end(), lacks), functions.end());
  functions.push_back({0, nullptr});
  return functions;
}

}  // namespace openssl_async
