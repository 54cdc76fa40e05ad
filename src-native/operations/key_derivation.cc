#include "operations/key_derivation.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <utility>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

OSSL_PARAM BytesParam(const char* name, ByteView bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(bytes.data), bytes.size);
}
OSSL_PARAM TextParam(const char* name, const char* text) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text), 0);
}

class KeyDerivationSpec : public OperationSpec {
 public:
  KeyDerivationSpec(SpecRequest request, EvpKdfPointer kdf, EvpMdPointer digest)
      : request_(std::move(request)), kdf_(std::move(kdf)), digest_(std::move(digest)) {}

  bool Run(Operation& operation) override {
    const CacheEpoch epoch;
    EvpKdfCtxPointer context = contexts_.Take();
    if (!context) context.reset(EVP_KDF_CTX_new(kdf_.get()));
    if (!context || !Check(context.get(), operation)) return false;
    const size_t size = operation.size(0);
    unsigned char* output = operation.Reserve(0, size);
    if (output == nullptr) throw std::bad_alloc();
    if (size > 0 && !Derive(context.get(), operation, output, size)) return false;
    EVP_KDF_CTX_reset(context.get());  // wipes
    contexts_.Put(std::move(context), epoch);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return EVP_KDF_get0_provider(kdf_.get()); }

 protected:
  // Refuses a call before any work is done or memory reserved, with node:crypto's codes.
  virtual bool Check(EVP_KDF_CTX*, Operation&) { return true; }
  virtual bool Derive(EVP_KDF_CTX* context, const Operation& operation, unsigned char* output, size_t size) = 0;

  OSSL_PARAM digest_param() const { return TextParam(OSSL_KDF_PARAM_DIGEST, EVP_MD_get0_name(digest_.get())); }
  OSSL_PARAM properties_param() const {
    return TextParam(OSSL_KDF_PARAM_PROPERTIES, request_.scope.properties.c_str());
  }
  size_t digest_size() const { return DefaultSizeOf(digest_.get()); }

 private:
  const SpecRequest request_;
  const EvpKdfPointer kdf_;
  const EvpMdPointer digest_;
  ContextCache<EvpKdfCtxPointer> contexts_;
};

class HkdfSpec final : public KeyDerivationSpec {
 public:
  using KeyDerivationSpec::KeyDerivationSpec;
  size_t WorkBytes(const Operation& operation) const override {
    return OperationSpec::WorkBytes(operation) + operation.size(0);
  }
  bool IsHopeless(const Operation& operation) const override {
    constexpr size_t kMostBlocks = 255;  // RFC 5869, section 2.3
    return operation.size(0) > kMostBlocks * digest_size();
  }

 private:
  bool Check(EVP_KDF_CTX*, Operation& operation) override {
    return !IsHopeless(operation) || operation.Fail("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
  }
  bool Derive(EVP_KDF_CTX* context, const Operation& operation, unsigned char* output, size_t size) override {
    const OSSL_PARAM params[] = {digest_param(),
                                 properties_param(),
                                 BytesParam(OSSL_KDF_PARAM_KEY, operation.input(HkdfInput::kKey)),
                                 BytesParam(OSSL_KDF_PARAM_SALT, operation.input(HkdfInput::kSalt)),
                                 BytesParam(OSSL_KDF_PARAM_INFO, operation.input(HkdfInput::kInfo)),
                                 OSSL_PARAM_END};
    return EVP_KDF_derive(context, output, size, params) == 1;
  }
};

class Pbkdf2Spec final : public KeyDerivationSpec {
 public:
  using KeyDerivationSpec::KeyDerivationSpec;
  size_t WorkBytes(const Operation& operation) const override {
    const size_t blocks = (operation.size(0) + digest_size() - 1) / digest_size();
    return operation.size(1) * blocks * digest_size();
  }

 private:
  bool Derive(EVP_KDF_CTX* context, const Operation& operation, unsigned char* output, size_t size) override {
    auto iterations = static_cast<uint64_t>(operation.number(Pbkdf2Number::kIterations));
    int allows_weak = 1;  // as node:crypto: short salts, few iterations
    const OSSL_PARAM params[] = {digest_param(),
                                 properties_param(),
                                 BytesParam(OSSL_KDF_PARAM_PASSWORD, operation.input(PasswordInput::kPassword)),
                                 BytesParam(OSSL_KDF_PARAM_SALT, operation.input(PasswordInput::kSalt)),
                                 OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations),
                                 OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &allows_weak),
                                 OSSL_PARAM_END};
    return EVP_KDF_derive(context, output, size, params) == 1;
  }
};

class ScryptSpec final : public KeyDerivationSpec {
 public:
  using KeyDerivationSpec::KeyDerivationSpec;
  size_t WorkBytes(const Operation& operation) const override {
    constexpr double kBlockBytes = 128;
    constexpr double kBlocksPerOutput = 4;
    // The mixing, and then PBKDF2 with one iteration for the output.
    const double bytes = operation.number(ScryptNumber::kCost) * operation.number(ScryptNumber::kBlockSize) *
                             operation.number(ScryptNumber::kParallelization) * kBlockBytes +
                         operation.number(ScryptNumber::kSize) * kBlocksPerOutput;
    constexpr double kMost = 1ULL << 52;
    return static_cast<size_t>(bytes < kMost ? bytes : kMost);
  }

 private:
  bool Check(EVP_KDF_CTX* context, Operation& operation) override {
    if (DeriveKey(context, operation, nullptr, 0)) return true;
    const std::vector<std::string> lines = ErrorQueue::Take().Lines();
    operation.SetError(Error{"ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
                             lines.empty() ? "Invalid scrypt params" : "Invalid scrypt params: " + lines[0],
                             {}});
    return false;
  }
  bool Derive(EVP_KDF_CTX* context, const Operation& operation, unsigned char* output, size_t size) override {
    return DeriveKey(context, operation, output, size);
  }
  // Without an output, only checks the parameters.
  static bool DeriveKey(EVP_KDF_CTX* context, const Operation& operation, unsigned char* output, size_t size) {
    auto cost = static_cast<uint64_t>(operation.number(ScryptNumber::kCost));
    auto block_size = static_cast<uint64_t>(operation.number(ScryptNumber::kBlockSize));
    auto parallelization = static_cast<uint64_t>(operation.number(ScryptNumber::kParallelization));
    auto max_memory = static_cast<uint64_t>(operation.number(ScryptNumber::kMaxMemory));
    const OSSL_PARAM params[] = {BytesParam(OSSL_KDF_PARAM_PASSWORD, operation.input(PasswordInput::kPassword)),
                                 BytesParam(OSSL_KDF_PARAM_SALT, operation.input(PasswordInput::kSalt)),
                                 OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost),
                                 OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &block_size),
                                 OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &parallelization),
                                 OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
                                 OSSL_PARAM_END};
    return EVP_KDF_derive(context, output, size, params) == 1;
  }
};

template <typename Spec>
std::shared_ptr<OperationSpec> Make(SpecRequest request, EvpKdfPointer kdf, EvpMdPointer digest) {
  return std::make_shared<Spec>(std::move(request), std::move(kdf), std::move(digest));
}

}  // namespace

SpecResult CreateKeyDerivationSpec(SpecRequest request) {
  const ErrorQueueScope errors;
  const std::string name = request.names[KeyDerivationName::kFunction];
  EvpMdPointer digest;
  if (const std::string& digest_name = request.names[KeyDerivationName::kDigest]; !digest_name.empty()) {
    digest = FetchHelperDigest(digest_name, request.scope);
    if (!digest) return Error{"ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + digest_name, {}};
  }
  EvpKdfPointer kdf(EVP_KDF_fetch(request.scope.library_context, name.c_str(), request.scope.query()));
  if (!kdf) return Error{"", "", ErrorQueue::Take().Lines()};
  if (name == "HKDF") return Make<HkdfSpec>(std::move(request), std::move(kdf), std::move(digest));
  if (name == "PBKDF2") return Make<Pbkdf2Spec>(std::move(request), std::move(kdf), std::move(digest));
  return Make<ScryptSpec>(std::move(request), std::move(kdf), std::move(digest));
}

}  // namespace openssl_async
