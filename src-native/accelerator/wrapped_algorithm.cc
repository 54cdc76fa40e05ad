#include "accelerator/wrapped_algorithm.h"

#include <openssl/provider.h>

#include <algorithm>
#include <cstring>

namespace openssl_async {

namespace {

// Keys of these are secrets for MACs and key derivation: to work with them is short, and done by EVP_PKEY only for old
// programs. As key derivation functions, the same names are wrapped.
constexpr const char* kSymmetricKeys[] = {"HMAC", "SIPHASH", "POLY1305", "CMAC", "TLS1-PRF", "HKDF", "SCRYPT"};

bool HasName(const char* names, const char* name) {
  const size_t size = strlen(name);
  for (const char* at = names; at != nullptr; at = strchr(at, ':')) {
    if (*at == ':') ++at;
    if (strncmp(at, name, size) == 0 && (at[size] == ':' || at[size] == '\0')) return true;
  }
  return false;
}

bool IsSymmetric(const OSSL_ALGORITHM& algorithm) {
  for (const char* name : kSymmetricKeys) {
    if (HasName(algorithm.algorithm_names, name)) return true;
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
  static const DefaultProvider* const provider = Load();
  return provider;
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
  provider->provider_ = loaded;
  provider->context_ = OSSL_PROVIDER_get0_provider_ctx(loaded);
  return provider;
}

std::deque<WrappedAlgorithm> DefaultProvider::Query(int operation, size_t most) const {
  std::deque<WrappedAlgorithm> found;
  int no_cache = 0;
  const OSSL_ALGORITHM* algorithm = OSSL_PROVIDER_query_operation(provider_, operation, &no_cache);
  for (; algorithm != nullptr && algorithm->algorithm_names != nullptr; ++algorithm) {
    if (operation != OSSL_OP_KDF && IsSymmetric(*algorithm)) continue;
    if (found.size() < most) found.emplace_back(*algorithm);
  }
  return found;
}

std::vector<OSSL_DISPATCH> OnlyWhatItHas(const FunctionTable& table, std::vector<OSSL_DISPATCH> functions) {
  const auto lacks = [&table](const OSSL_DISPATCH& function) { return !table.Has(function.function_id); };
  functions.erase(std::remove_if(functions.begin(), functions.end(), lacks), functions.end());
  functions.push_back({0, nullptr});
  return functions;
}

}  // namespace openssl_async
