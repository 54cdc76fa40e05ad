#include "operations/key_encapsulation.h"

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

// The mechanism that a key is used with; null where it has only one, or none.
const char* MechanismOf(const Key& key) {
  if (key.Is("RSA")) return "RSASVE";
  return key.Is("EC") || key.Is("X25519") || key.Is("X448") ? "DHKEM" : nullptr;
}

class KeyEncapsulationSpec : public OperationSpec {
 public:
  using Init = int (*)(EVP_PKEY_CTX* context, const OSSL_PARAM params[]);

  KeyEncapsulationSpec(std::shared_ptr<Key> key, Init init)
      : key_(std::move(key)), init_(init), mechanism_(MechanismOf(*key_)) {}

  const OSSL_PROVIDER* Provider() override { return ProviderOf(TakeContext()); }

 protected:
  EvpPkeyCtxPointer TakeContext() {
    if (EvpPkeyCtxPointer idle = contexts_.Take()) return idle;
    EvpPkeyCtxPointer context = key_->NewContext();
    if (!context || init_(context.get(), nullptr) <= 0 ||
        (mechanism_ != nullptr && EVP_PKEY_CTX_set_kem_op(context.get(), mechanism_) <= 0)) {
      return nullptr;
    }
    return context;
  }
  void PutContext(EvpPkeyCtxPointer context, const CacheEpoch& taken) { contexts_.Put(std::move(context), taken); }

 private:
  const std::shared_ptr<Key> key_;
  const Init init_;
  const char* const mechanism_;
  ContextCache<EvpPkeyCtxPointer> contexts_;
};

class EncapsulateSpec : public KeyEncapsulationSpec {
 public:
  explicit EncapsulateSpec(std::shared_ptr<Key> key)
      : KeyEncapsulationSpec(std::move(key), EVP_PKEY_encapsulate_init) {}

  bool Run(Operation& operation) override {
    return Encapsulate(operation) || operation.Fail("ERR_CRYPTO_OPERATION_FAILED", "Failed to perform encapsulation");
  }

 private:
  bool Encapsulate(Operation& operation) {
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeContext();
    size_t key_size = 0;
    size_t ciphertext_size = 0;
    if (!context || EVP_PKEY_encapsulate(context.get(), nullptr, &ciphertext_size, nullptr, &key_size) <= 0) {
      return false;
    }
    unsigned char* shared_key = operation.Reserve(0, key_size);
    unsigned char* ciphertext = operation.Reserve(1, ciphertext_size);
    if (shared_key == nullptr || ciphertext == nullptr) throw std::bad_alloc();
    if (EVP_PKEY_encapsulate(context.get(), ciphertext, &ciphertext_size, shared_key, &key_size) <= 0) return false;
    operation.output(0).Truncate(key_size);
    operation.output(1).Truncate(ciphertext_size);
    PutContext(std::move(context), epoch);
    return true;
  }
};

class DecapsulateSpec : public KeyEncapsulationSpec {
 public:
  explicit DecapsulateSpec(std::shared_ptr<Key> key)
      : KeyEncapsulationSpec(std::move(key), EVP_PKEY_decapsulate_init) {}

  bool Run(Operation& operation) override {
    return Decapsulate(operation) || operation.Fail("ERR_CRYPTO_OPERATION_FAILED", "Failed to perform decapsulation");
  }

 private:
  bool Decapsulate(Operation& operation) {
    const ByteView ciphertext = operation.input(0);
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeContext();
    size_t size = 0;
    if (!context || EVP_PKEY_decapsulate(context.get(), nullptr, &size, ciphertext.data, ciphertext.size) <= 0) {
      return false;
    }
    unsigned char* shared_key = operation.Reserve(0, size);
    if (shared_key == nullptr) throw std::bad_alloc();
    if (EVP_PKEY_decapsulate(context.get(), shared_key, &size, ciphertext.data, ciphertext.size) <= 0) return false;
    operation.output(0).Truncate(size);
    PutContext(std::move(context), epoch);
    return true;
  }
};

// OpenSSL 3.0 and 3.1 have no DHKEM; no version has a mechanism for keys that can only sign.
bool LacksMechanism(const Key& key) {
  for (const char* type : {"EC", "X25519", "X448"}) {
    if (!key.Is(type)) continue;
    EVP_KEM* mechanism = EVP_KEM_fetch(key.scope().library_context, type, key.scope().query());
    EVP_KEM_free(mechanism);
    return mechanism == nullptr;
  }
  return false;
}

template <typename Spec>
SpecResult Create(SpecRequest request) {
  const ErrorQueueScope errors;
  if (LacksMechanism(*request.keys[0])) {
    return Error{"ERR_CRYPTO_KEM_NOT_SUPPORTED", "This OpenSSL cannot encapsulate keys with a key of this type", {}};
  }
  return std::shared_ptr<OperationSpec>(std::make_shared<Spec>(std::move(request.keys[0])));
}

}  // namespace

SpecResult CreateEncapsulateSpec(SpecRequest request) { return Create<EncapsulateSpec>(std::move(request)); }
SpecResult CreateDecapsulateSpec(SpecRequest request) { return Create<DecapsulateSpec>(std::move(request)); }

}  // namespace openssl_async
