#include "accelerator/wrapped_algorithm.h"

#include <openssl/provider.h>

#include <algorithm>
#include <cstring>

#include "base/lasting.h"

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
    if (const DefaultProvider* loaded = Load(); loaded != nullptr) return loaded;
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
  auto* provider = new DefaultProvider();
  provider->library_context_ = library_context;
  provider->provider_ = loaded;
  provider->context_ = OSSL_PROVIDER_get0_provider_ctx(loaded);
  return provider;
}

const OSSL_ALGORITHM* DefaultProvider::Query(int operation) const {
  int no_cache = 0;
  return OSSL_PROVIDER_query_operation(provider_, operation, &no_cache);
}

std::vector<OSSL_DISPATCH> OnlyWhatItHas(const FunctionTable& table, std::vector<OSSL_DISPATCH> functions) {
  const auto lacks = [&table](const OSSL_DISPATCH& function) { return !table.Has(function.function_id); };
  functions.erase(std::remove_if(functions.begin(), functions.end(), lacks), functions.end());
  functions.push_back({0, nullptr});
  return functions;
}

}  // namespace openssl_async
