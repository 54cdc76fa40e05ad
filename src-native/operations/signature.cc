#include "operations/signature.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <climits>
#include <optional>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

enum class Direction { kSign, kVerify };
// kNone: the context could not be set up, which is a failure. An invalid signature is an answer.
enum class Verdict { kInvalid, kValid, kNone };

// OSSL_SIGNATURE_PARAM_CONTEXT_STRING, which the headers of OpenSSL 3.0 lack.
constexpr const char* kContextString = "context-string";

// Whether the running OpenSSL takes a context string with this kind of key.
bool CanHaveContextString(const Key& key) {
  const ProviderScope& scope = key.scope();
  const EvpMdCtxPointer context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* pkey_context = nullptr;  // owned by `context`
  if (!context || EVP_DigestVerifyInit_ex(context.get(), &pkey_context, nullptr, scope.library_context, scope.query(),
                                          key.pkey(), nullptr) != 1) {
    return false;
  }
  const OSSL_PARAM* settable = EVP_PKEY_CTX_settable_params(pkey_context);
  return settable != nullptr && OSSL_PARAM_locate_const(settable, kContextString) != nullptr;
}

// Signatures as IEEE P1363 has them instead of DER: r and s next to each other, each as long as the group's order.
class P1363 {
 public:
  explicit P1363(const Key& key) {
    if (key.Is("EC")) {  // bits() is the order's; engines' keys have no parameter for it
      part_ = (static_cast<size_t>(EVP_PKEY_get_bits(key.pkey())) + CHAR_BIT - 1) / CHAR_BIT;
      return;
    }
    BIGNUM* order = nullptr;
    if (EVP_PKEY_get_bn_param(key.pkey(), OSSL_PKEY_PARAM_FFC_Q, &order) == 1) {
      part_ = static_cast<size_t>(BN_num_bytes(order));
    }
    BN_free(order);
  }

  bool FromDer(SecretBytes& signature) const {
    const unsigned char* at = signature.data();
    const EcdsaSigPointer parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
    SecretBytes joined;
    if (!parsed || !joined.Resize(2 * part_)) return false;
    const BIGNUM* r = ECDSA_SIG_get0_r(parsed.get());
    const BIGNUM* s = ECDSA_SIG_get0_s(parsed.get());
    const int part = static_cast<int>(part_);
    if (BN_bn2binpad(r, joined.data(), part) != part || BN_bn2binpad(s, joined.data() + part_, part) != part) {
      return false;
    }
    signature = std::move(joined);
    return true;
  }

  // False for bytes that cannot be a signature.
  bool ToDer(ByteView signature, SecretBytes& der) const {
    if (part_ == 0 || signature.size != 2 * part_) return false;
    const EcdsaSigPointer parsed(ECDSA_SIG_new());
    const int part = static_cast<int>(part_);
    BignumPointer r(BN_bin2bn(signature.data, part, nullptr));
    BignumPointer s(BN_bin2bn(signature.data + part_, part, nullptr));
    if (!parsed || !r || !s || ECDSA_SIG_set0(parsed.get(), r.release(), s.release()) != 1) return false;
    const int size = i2d_ECDSA_SIG(parsed.get(), nullptr);
    if (size <= 0 || !der.Resize(static_cast<size_t>(size))) return false;
    unsigned char* at = der.data();
    return i2d_ECDSA_SIG(parsed.get(), &at) == size;
  }

 private:
  size_t part_ = 0;
};

class SignatureSpec : public OperationSpec {
 public:
  SignatureSpec(SpecRequest request, EvpMdPointer digest, Direction direction)
      : request_(std::move(request)), digest_(std::move(digest)), direction_(direction) {
    const Key& key = this->key();
    set_may_pause(key.scope().may_pause);
    is_rsa_ = key.Is("RSA") || key.Is("RSA-PSS");
    if (request_.has(SignatureNumber::kP1363) && request_.integer(SignatureNumber::kP1363) == 1 &&
        (key.Is("EC") || key.Is("DSA")))
      p1363_.emplace(key);
    // For these keys a digest is signed with a context that is kept ready. An accelerator gets the whole message, so
    // that it can hash where it signs.
    prehashes_ = digest_ && !may_pause() && (is_rsa_ || key.Is("EC") || key.Is("DSA"));
    max_size_ = static_cast<size_t>(EVP_PKEY_get_size(key.pkey()));
  }

  const Key& key() const { return *request_.keys[0]; }
  ByteView context_string() const { return request_.bytes.empty() ? ByteView() : request_.bytes[0].view(); }

  bool Run(Operation& operation) override {
    return direction_ == Direction::kSign ? Sign(operation) : Verify(operation);
  }
  const OSSL_PROVIDER* Provider() override {
    const EvpMdCtxPointer context = InitMessageContext();
    EVP_PKEY_CTX* pkey_context = context ? EVP_MD_CTX_get_pkey_ctx(context.get()) : nullptr;
    return pkey_context != nullptr ? EVP_PKEY_CTX_get0_provider(pkey_context) : nullptr;
  }

 private:
  bool Sign(Operation& operation) {
    unsigned char* signature = operation.Reserve(0, max_size_);
    if (signature == nullptr) throw std::bad_alloc();
    size_t size = max_size_;
    if (!(prehashes_ ? SignDigest(operation.input(0), signature, &size)
                     : SignMessage(operation.input(0), signature, &size))) {
      return false;
    }
    operation.output(0).Truncate(size);
    return !p1363_ || p1363_->FromDer(operation.output(0));
  }

  bool Verify(Operation& operation) {
    const ByteView data = operation.input(VerifyInput::kData);
    ByteView signature = operation.input(VerifyInput::kSignature);
    SecretBytes der;
    if (p1363_) {
      if (!p1363_->ToDer(signature, der)) return CanVerify();  // malformed, so invalid
      signature = der.view();
    }
    const Verdict verdict = prehashes_ ? VerifyDigest(data, signature) : VerifyMessage(data, signature);
    operation.set_value(verdict == Verdict::kValid ? 1 : 0);
    return verdict != Verdict::kNone;
  }

  // Whether OpenSSL takes the key, the digest and the parameters.
  bool CanVerify() {
    if (!prehashes_) return NewMessageContext() != nullptr;
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeKeyContext();
    if (!context) return false;
    key_contexts_.Put(std::move(context), epoch);
    return true;
  }

  bool SignDigest(ByteView data, unsigned char* signature, size_t* size) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_size = 0;
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeKeyContext();
    if (!context || EVP_Digest(data.data, data.size, hash, &hash_size, digest_.get(), nullptr) != 1 ||
        EVP_PKEY_sign(context.get(), signature, size, hash, hash_size) <= 0) {
      return false;
    }
    key_contexts_.Put(std::move(context), epoch);
    return true;
  }

  Verdict VerifyDigest(ByteView data, ByteView signature) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_size = 0;
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeKeyContext();
    if (!context || EVP_Digest(data.data, data.size, hash, &hash_size, digest_.get(), nullptr) != 1) {
      return Verdict::kNone;
    }
    const bool valid = EVP_PKEY_verify(context.get(), signature.data, signature.size, hash, hash_size) == 1;
    key_contexts_.Put(std::move(context), epoch);
    return valid ? Verdict::kValid : Verdict::kInvalid;
  }

  bool SignMessage(ByteView data, unsigned char* signature, size_t* size) {
    EvpMdCtxPointer context = NewMessageContext();
    return context && EVP_DigestSign(context.get(), signature, size, data.data, data.size) == 1;
  }

  Verdict VerifyMessage(ByteView data, ByteView signature) {
    const EvpMdCtxPointer context = NewMessageContext();
    if (!context) return Verdict::kNone;
    return EVP_DigestVerify(context.get(), signature.data, signature.size, data.data, data.size) == 1
               ? Verdict::kValid
               : Verdict::kInvalid;
  }

  EvpPkeyCtxPointer TakeKeyContext() {
    if (EvpPkeyCtxPointer idle = key_contexts_.Take()) return idle;
    EvpPkeyCtxPointer context = key().NewContext();
    const auto init = direction_ == Direction::kSign ? EVP_PKEY_sign_init : EVP_PKEY_verify_init;
    // The digest comes first: some paddings allow only some digests.
    if (!context || init(context.get()) <= 0 || EVP_PKEY_CTX_set_signature_md(context.get(), digest_.get()) <= 0 ||
        !SetPadding(context.get()) || !SetSaltLength(context.get())) {
      return nullptr;
    }
    return context;
  }

  // Copies an initialised context, which spares another look-up of the algorithm.
  EvpMdCtxPointer NewMessageContext() {
    const CacheEpoch epoch;
    EvpMdCtxPointer original = message_contexts_.Take();
    if (!original) original = InitMessageContext();
    EvpMdCtxPointer copy(EVP_MD_CTX_new());
    if (!original || !copy) return nullptr;
    if (EVP_MD_CTX_copy_ex(copy.get(), original.get()) != 1) return original;  // the provider cannot copy
    message_contexts_.Put(std::move(original), epoch);
    return copy;
  }

  EvpMdCtxPointer InitMessageContext() {
    EvpMdCtxPointer context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* pkey_context = nullptr;  // owned by `context`
    const auto init = direction_ == Direction::kSign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
    const char* digest = digest_ ? EVP_MD_get0_name(digest_.get()) : nullptr;
    const ProviderScope& scope = key().scope();
    if (!context ||
        init(context.get(), &pkey_context, digest, scope.library_context, scope.query(), key().pkey(), nullptr) != 1) {
      return nullptr;
    }
    if (!SetContextString(pkey_context) || !SetPadding(pkey_context) || !SetSaltLength(pkey_context)) return nullptr;
    return context;
  }

  // Only where CanHaveContextString(): other keys would silently sign without it.
  bool SetContextString(EVP_PKEY_CTX* context) const {
    const ByteView string = context_string();
    if (string.size == 0) return true;
    OSSL_PARAM params[] = {OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END};
    params[0] = OSSL_PARAM_construct_octet_string(kContextString, const_cast<unsigned char*>(string.data), string.size);
    // Pure Ed25519 has no context string (RFC 8032, section 5.1); other algorithms have one anyway.
    if (key().Is("ED25519"))
      params[1] = OSSL_PARAM_construct_utf8_string("instance", const_cast<char*>("Ed25519ctx"), 0);
    return EVP_PKEY_CTX_set_params(context, params) > 0;
  }

  bool SetPadding(EVP_PKEY_CTX* context) const {
    if (!is_rsa_) return true;
    return EVP_PKEY_CTX_set_rsa_padding(context, padding()) > 0;
  }
  bool SetSaltLength(EVP_PKEY_CTX* context) const {
    if (!is_rsa_ || padding() != RSA_PKCS1_PSS_PADDING || !request_.has(SignatureNumber::kSaltLength)) return true;
    return EVP_PKEY_CTX_set_rsa_pss_saltlen(context, request_.integer(SignatureNumber::kSaltLength)) > 0;
  }
  int padding() const {
    if (request_.has(SignatureNumber::kPadding)) return request_.integer(SignatureNumber::kPadding);
    return key().Is("RSA-PSS") ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
  }

  const SpecRequest request_;
  const EvpMdPointer digest_;
  const Direction direction_;
  bool is_rsa_ = false;
  bool prehashes_ = false;
  size_t max_size_ = 0;
  std::optional<P1363> p1363_;
  ContextCache<EvpPkeyCtxPointer> key_contexts_;
  ContextCache<EvpMdCtxPointer> message_contexts_;
};

SpecResult Create(SpecRequest request, Direction direction) {
  const ErrorQueueScope errors;
  std::string name = request.names[0];
  const Key& key = *request.keys[0];
  if (name.empty() && (key.Is("RSA") || key.Is("RSA-PSS") || key.Is("EC") || key.Is("DSA"))) {
    char standard[80] = "";
    EVP_PKEY_get_default_digest_name(key.pkey(), standard, sizeof(standard));
    name = standard;
  }
  EvpMdPointer digest;
  if (!name.empty()) {
    digest = FetchHelperDigest(name, key.scope());
    if (!digest) return DigestError(name);
  }
  if (!request.bytes.empty() && request.bytes[0].size() > 0 && !CanHaveContextString(key)) {
    return Error{"ERR_CRYPTO_OPERATION_FAILED", "Context parameter is unsupported", {}};
  }
  return std::shared_ptr<OperationSpec>(
      std::make_shared<SignatureSpec>(std::move(request), std::move(digest), direction));
}

}  // namespace

SpecResult CreateSignSpec(SpecRequest request) { return Create(std::move(request), Direction::kSign); }
SpecResult CreateVerifySpec(SpecRequest request) { return Create(std::move(request), Direction::kVerify); }

}  // namespace openssl_async
