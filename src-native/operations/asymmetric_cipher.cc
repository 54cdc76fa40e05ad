#include "operations/asymmetric_cipher.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

// OpenSSL's functions for one direction.
struct Function {
  int (*init)(EVP_PKEY_CTX* context);
  int (*run)(EVP_PKEY_CTX* context, unsigned char* output, size_t* output_size, const unsigned char* input,
             size_t input_size);
};
constexpr Function kPublicEncrypt = {EVP_PKEY_encrypt_init, EVP_PKEY_encrypt};
constexpr Function kPrivateDecrypt = {EVP_PKEY_decrypt_init, EVP_PKEY_decrypt};
constexpr Function kPrivateEncrypt = {EVP_PKEY_sign_init, EVP_PKEY_sign};
constexpr Function kPublicDecrypt = {EVP_PKEY_verify_recover_init, EVP_PKEY_verify_recover};

class AsymmetricCipherSpec : public OperationSpec {
 public:
  AsymmetricCipherSpec(SpecRequest request, EvpMdPointer digest, const Function& function)
      : request_(std::move(request)), digest_(std::move(digest)), function_(function) {}

  bool Run(Operation& operation) override {
    const ByteView data = operation.input(AsymmetricCipherInput::kData);
    const ByteView label = operation.input(AsymmetricCipherInput::kLabel);
    // A label can be replaced but not removed, so labelled contexts are kept apart.
    ContextCache<EvpPkeyCtxPointer>& contexts = label.size > 0 ? labelled_contexts_ : contexts_;
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = contexts.Take();
    if (!context) context = NewContext();
    size_t size = 0;
    if (!context || (label.size > 0 && !SetLabel(context.get(), label)) ||
        function_.run(context.get(), nullptr, &size, data.data, data.size) <= 0) {
      return false;
    }
    unsigned char* output = operation.Reserve(0, size);
    if (output == nullptr) throw std::bad_alloc();
    if (function_.run(context.get(), output, &size, data.data, data.size) <= 0) return false;
    operation.output(0).Truncate(size);
    contexts.Put(std::move(context), epoch);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return ProviderOf(NewContext()); }

 private:
  EvpPkeyCtxPointer NewContext() const {
    EvpPkeyCtxPointer context = request_.keys[0]->NewContext();
    if (!context || function_.init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), request_.integer(0)) <= 0 ||
        (digest_ && EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest_.get()) <= 0)) {
      return nullptr;
    }
    return context;
  }

  static bool SetLabel(EVP_PKEY_CTX* context, ByteView label) {
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, const_cast<unsigned char*>(label.data),
                                          label.size),
        OSSL_PARAM_END,
    };
    return EVP_PKEY_CTX_set_params(context, params) > 0;
  }

  const SpecRequest request_;
  const EvpMdPointer digest_;
  const Function& function_;
  ContextCache<EvpPkeyCtxPointer> contexts_;
  ContextCache<EvpPkeyCtxPointer> labelled_contexts_;
};

SpecResult Create(SpecRequest request, const Function& function) {
  const ErrorQueueScope errors;
  EvpMdPointer digest;
  if (const std::string& name = request.names[0]; !name.empty()) {
    digest = FetchHelperDigest(name, request.scope);
    if (!digest) return Error{"ERR_OSSL_EVP_INVALID_DIGEST", "Invalid digest used", {}};
  }
  return std::shared_ptr<OperationSpec>(
      std::make_shared<AsymmetricCipherSpec>(std::move(request), std::move(digest), function));
}

// Whether wrong padding gives random bytes. An error would let an attacker find the plaintext.
bool RejectsImplicitly(const Key& key) {
  const ErrorQueueScope errors;
  const EvpPkeyCtxPointer context = key.NewContext();
  return context && EVP_PKEY_decrypt_init(context.get()) > 0 &&
         EVP_PKEY_CTX_ctrl_str(context.get(), "rsa_pkcs1_implicit_rejection", "1") > 0;
}

}  // namespace

SpecResult CreatePublicEncryptSpec(SpecRequest request) { return Create(std::move(request), kPublicEncrypt); }

SpecResult CreatePrivateDecryptSpec(SpecRequest request) {
  if (request.integer(0) == RSA_PKCS1_PADDING && !RejectsImplicitly(*request.keys[0])) {
    return Error{
        "ERR_INVALID_ARG_VALUE",
        "RSA_PKCS1_PADDING is no longer supported for private decryption: this OpenSSL has no implicit rejection",
        {}};
  }
  return Create(std::move(request), kPrivateDecrypt);
}

SpecResult CreatePrivateEncryptSpec(SpecRequest request) { return Create(std::move(request), kPrivateEncrypt); }
SpecResult CreatePublicDecryptSpec(SpecRequest request) { return Create(std::move(request), kPublicDecrypt); }

}  // namespace openssl_async
