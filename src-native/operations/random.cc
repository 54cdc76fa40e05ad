#include "operations/random.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <string>
#include <vector>

#include "openssl/error_queue.h"
#include "openssl/fips.h"
#include "operations/context_cache.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

// Uses a library context's own generators: see RAND_bytes_ex(3).
class SharedRandomSpec : public OperationSpec {
 public:
  explicit SharedRandomSpec(OSSL_LIB_CTX* library_context) : library_context_(library_context) {}

  bool Run(Operation& operation) override {
    const size_t size = operation.size(0);
    unsigned char* output = operation.Reserve(0, size);
    if (output == nullptr) throw std::bad_alloc();
    return RAND_bytes_ex(library_context_, output, size, 0) == 1;
  }
  size_t WorkBytes(const Operation& operation) const override { return operation.size(0); }

 private:
  OSSL_LIB_CTX* const library_context_;
};

// Uses generators of a chosen implementation.
class RandomSpec : public OperationSpec {
 public:
  explicit RandomSpec(EvpRandPointer generator) : generator_(std::move(generator)) {}

  bool Run(Operation& operation) override {
    const size_t size = operation.size(0);
    unsigned char* output = operation.Reserve(0, size);
    if (output == nullptr) throw std::bad_alloc();
    if (size == 0) return true;
    const CacheEpoch epoch;
    EvpRandCtxPointer context = Take();
    if (!context || EVP_RAND_generate(context.get(), output, size, 0, 0, nullptr, 0) != 1) return false;
    contexts_.Put(std::move(context), epoch);
    return true;
  }
  size_t WorkBytes(const Operation& operation) const override { return operation.size(0); }
  const OSSL_PROVIDER* Provider() override { return EVP_RAND_get0_provider(generator_.get()); }

 private:
  // A generator that is seeded by the operating system, or in its provider's own way.
  EvpRandCtxPointer Take() {
    if (EvpRandCtxPointer idle = contexts_.Take()) return idle;
    EvpRandCtxPointer context(EVP_RAND_CTX_new(generator_.get(), nullptr));
    char cipher[] = "AES-256-CTR";
    char digest[] = "SHA256";
    char mac[] = "HMAC";
    int uses_derivation = 1;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    if (Is("CTR-DRBG")) {
      params[0] = OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, cipher, 0);
      params[1] = OSSL_PARAM_construct_int(OSSL_DRBG_PARAM_USE_DF, &uses_derivation);
    } else if (Is("HASH-DRBG") || Is("HMAC-DRBG")) {
      params[0] = OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, digest, 0);
      if (Is("HMAC-DRBG")) params[1] = OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_MAC, mac, 0);
    }
    if (!context || EVP_RAND_instantiate(context.get(), 0, 0, nullptr, 0, params) != 1) return nullptr;
    return context;
  }
  bool Is(const char* name) const { return EVP_RAND_is_a(generator_.get(), name) == 1; }

  const EvpRandPointer generator_;
  ContextCache<EvpRandCtxPointer> contexts_;
};

// Finds a standard generator by name, else any that the provider has. Null, with the reason on the error queue.
EvpRandPointer FindGenerator(const ProviderScope& scope) {
  for (const char* name : {"CTR-DRBG", "HASH-DRBG", "HMAC-DRBG"}) {
    if (EvpRandPointer found{EVP_RAND_fetch(scope.library_context, name, scope.query())}) return found;
  }
  std::vector<std::string> names;
  const auto add = [](EVP_RAND* generator, void* argument) {
    // Seed sources, and a generator for tests.
    for (const char* other : {"SEED-SRC", "TEST-RAND", "JITTER"}) {
      if (EVP_RAND_is_a(generator, other) == 1) return;
    }
    if (const char* name = EVP_RAND_get0_name(generator); name != nullptr) {
      static_cast<std::vector<std::string>*>(argument)->emplace_back(name);
    }
  };
  EVP_RAND_do_all_provided(scope.library_context, add, &names);
  for (const std::string& name : names) {
    if (EvpRandPointer found{EVP_RAND_fetch(scope.library_context, name.c_str(), scope.query())}) return found;
  }
  return nullptr;
}

}  // namespace

SpecResult CreateRandomSpec(const SpecRequest& request) {
  const ErrorQueueScope errors;
  // A library context's generators from before FIPS mode keep their implementation.
  if (request.scope.query() == nullptr && !InFipsMode()) {
    return std::shared_ptr<OperationSpec>(std::make_shared<SharedRandomSpec>(request.scope.library_context));
  }
  EvpRandPointer generator = FindGenerator(request.scope);
  if (!generator) return Error{"", "No provider has a matching random generator", ErrorQueue::Take().Lines()};
  return std::shared_ptr<OperationSpec>(std::make_shared<RandomSpec>(std::move(generator)));
}

}  // namespace openssl_async
