#include "operations/cipher_context.h"

#include <openssl/err.h>

#include <climits>

#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

constexpr size_t kMostBytes = INT_MAX;  // in one call of OpenSSL
constexpr char kCannotAdd[] = "Trying to add data in unsupported state";
constexpr char kCannotAuthenticate[] = "Unsupported state or unable to authenticate data";
constexpr size_t kChachaTagBytes = 16;

Error InvalidIv() { return {"ERR_CRYPTO_INVALID_IV", "Invalid initialization vector", {}}; }
Error InvalidTagLength(size_t size) {
  return {"ERR_CRYPTO_INVALID_AUTH_TAG", "Invalid authentication tag length: " + std::to_string(size), {}};
}
Error InvalidState(const char* operation) {
  return {"ERR_CRYPTO_INVALID_STATE", std::string("Invalid state for operation ") + operation, {}};
}
// OpenSSL's errors under this message.
Error OpenSSLError(const char* otherwise) { return {"", otherwise, ErrorQueue::Take().Lines()}; }
// As node:crypto: the message alone, without OpenSSL's errors.
Error WithoutReason(const char* message) {
  ERR_clear_error();
  return {"", message, {}};
}

bool IsGcmTagLength(size_t size) { return size == 4 || size == 8 || (size >= 12 && size <= 16); }

}  // namespace

// --- CipherAlgorithm

Result<CipherAlgorithm> CipherAlgorithm::Fetch(const std::string& name, CipherDirection direction,
                                               const ProviderScope& scope) {
  CipherAlgorithm algorithm(name, direction);
  const EVP_CIPHER* known = EVP_get_cipherbyname(name.c_str());
  const char* fetched_name = known != nullptr ? EVP_CIPHER_get0_name(known) : name.c_str();
  algorithm.cipher_.reset(EVP_CIPHER_fetch(scope.library_context, fetched_name, scope.query()));
  if (!algorithm.cipher_) {
    if (known == nullptr) return Error{"ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher", {}};
    algorithm.missing_ = OpenSSLError("Failed to initialize cipher");
  }
  algorithm.Read(known != nullptr ? known : algorithm.cipher_.get());
  return algorithm;
}

void CipherAlgorithm::Read(const EVP_CIPHER* cipher) {
  mode_ = EVP_CIPHER_get_mode(cipher);
  iv_size_ = static_cast<size_t>(EVP_CIPHER_get_iv_length(cipher));
  block_size_ = static_cast<size_t>(EVP_CIPHER_get_block_size(cipher));
  is_chacha_ = EVP_CIPHER_get_nid(cipher) == NID_chacha20_poly1305;
  is_authenticated_ = is_chacha_ || is(EVP_CIPH_GCM_MODE) || is(EVP_CIPH_CCM_MODE) || is(EVP_CIPH_OCB_MODE);
}

// --- CipherContext: set-up

Result<void> CipherContext::Init(ByteView key, ByteView iv, int tag_length) {
  if (iv.size == 0 && algorithm_.iv_size() != 0) return InvalidIv();
  if (iv.size > 0 && !algorithm_.is_authenticated() && iv.size != algorithm_.iv_size()) return InvalidIv();
  if (algorithm_.is_chacha() && iv.size > algorithm_.iv_size()) return InvalidIv();
  if (algorithm_.cipher() == nullptr) return algorithm_.missing();
  const int encrypts = algorithm_.encrypts() ? 1 : 0;
  if (!is_used_) {
    context_.reset(EVP_CIPHER_CTX_new());
    if (!context_) return OpenSSLError("Failed to initialize cipher");
    if (algorithm_.is(EVP_CIPH_WRAP_MODE)) EVP_CIPHER_CTX_set_flags(context_.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(context_.get(), algorithm_.cipher(), nullptr, nullptr, encrypts, nullptr) != 1) {
      return OpenSSLError("Failed to initialize cipher");
    }
  }
  if (algorithm_.is_authenticated()) {
    if (Result<void> set = InitAuthenticated(iv, tag_length); !set.ok()) return set;
  }
  if (key.size > kMostBytes || EVP_CIPHER_CTX_set_key_length(context_.get(), static_cast<int>(key.size)) != 1) {
    return Error{"ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", {}};
  }
  iv_size_ = iv.size;
  key_size_ = key.size;
  if (EVP_CipherInit_ex2(context_.get(), nullptr, key.data, iv.size > 0 ? iv.data : nullptr, encrypts, nullptr) != 1) {
    return OpenSSLError("Failed to initialize cipher");
  }
  return {};
}

Result<void> CipherContext::InitAuthenticated(ByteView iv, int tag_length) {
  EVP_CIPHER_CTX* context = context_.get();
  if (iv.size > kMostBytes ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size), nullptr) <= 0) {
    return InvalidIv();
  }
  if (algorithm_.is(EVP_CIPH_GCM_MODE)) {
    if (tag_length != kNoTagLength && !IsGcmTagLength(static_cast<size_t>(tag_length))) {
      return InvalidTagLength(static_cast<size_t>(tag_length));
    }
    tag_length_ = tag_length;
    return {};
  }
  if (tag_length == kNoTagLength) {
    if (!algorithm_.is_chacha()) {
      return Error{"ERR_CRYPTO_INVALID_AUTH_TAG", "authTagLength required for " + algorithm_.name(), {}};
    }
    tag_length = kChachaTagBytes;
  }
  if (static_cast<size_t>(tag_length) > kMostTagBytes ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_length, nullptr) <= 0) {
    return InvalidTagLength(static_cast<size_t>(tag_length));
  }
  tag_length_ = tag_length;
  return {};
}

void CipherContext::SetAutoPadding(bool pads) {
  if (pads == pads_) return;
  pads_ = pads;
  EVP_CIPHER_CTX_set_padding(context_.get(), pads ? 1 : 0);
}

Result<void> CipherContext::SetTag(ByteView tag) {
  if (!algorithm_.is_authenticated() || algorithm_.encrypts() || tag_state_ != TagState::kUnknown) {
    return InvalidState("setAuthTag");
  }
  const bool has_right_size = tag_length_ == kNoTagLength || tag.size == static_cast<size_t>(tag_length_);
  if (!has_right_size || tag.size > kMostTagBytes || (algorithm_.is(EVP_CIPH_GCM_MODE) && !IsGcmTagLength(tag.size))) {
    return InvalidTagLength(tag.size);
  }
  memcpy(tag_, tag.data, tag.size);
  tag_length_ = static_cast<int>(tag.size);
  tag_state_ = TagState::kKnown;
  return {};
}

bool CipherContext::PassTag() {
  if (algorithm_.encrypts() || tag_state_ != TagState::kKnown) return true;
  tag_state_ = TagState::kPassed;
  return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, tag_length_, tag_) > 0;
}

// --- CipherContext: the data

bool CipherContext::IsMessageTooLong(size_t size) const {
  if (!algorithm_.is(EVP_CIPH_CCM_MODE)) return false;
  // CCM keeps a message's length in the bytes of a block that the nonce and one more byte leave.
  if (iv_size_ == 12) return size > 0xffffff;
  if (iv_size_ == 13) return size > 0xffff;
  return size > kMostBytes;
}

Result<void> CipherContext::AddAuthenticatedData(ByteView data, size_t plaintext_size) {
  if (!algorithm_.is_authenticated()) return InvalidState("setAAD");
  EVP_CIPHER_CTX* context = context_.get();
  int ignored = 0;
  if (algorithm_.is(EVP_CIPH_CCM_MODE)) {
    if (IsMessageTooLong(plaintext_size)) return Error{"ERR_CRYPTO_INVALID_MESSAGELEN", "Invalid message length", {}};
    if (!PassTag() || EVP_CipherUpdate(context, nullptr, &ignored, nullptr, static_cast<int>(plaintext_size)) != 1) {
      return InvalidState("setAAD");
    }
  }
  if (data.size > kMostBytes ||
      EVP_CipherUpdate(context, nullptr, &ignored, data.data, static_cast<int>(data.size)) != 1) {
    return InvalidState("setAAD");
  }
  return {};
}

size_t CipherContext::MostOutputBytes(size_t data_size) const {
  constexpr size_t kMostWrapBytes = 32;  // wrapping adds a block and padding, or two blocks of 3DES
  return data_size + 2 * algorithm_.block_size() + (algorithm_.is(EVP_CIPH_WRAP_MODE) ? kMostWrapBytes : 0);
}

Result<void> CipherContext::Update(ByteView data, SecretBytes& output, size_t* size) {
  if (data.size > kMostBytes) return WithoutReason(kCannotAdd);
  if (IsMessageTooLong(data.size)) return Error{"ERR_CRYPTO_INVALID_MESSAGELEN", "Invalid message length", {}};
  has_updated_ = true;
  int added = 0;
  if (!PassTag() ||
      EVP_CipherUpdate(context_.get(), output.data() + *size, &added, data.data, static_cast<int>(data.size)) != 1) {
    if (algorithm_.encrypts() || !algorithm_.is(EVP_CIPH_CCM_MODE)) return WithoutReason(kCannotAdd);
    ERR_clear_error();
    has_failed_ = true;
    added = 0;
  }
  *size += static_cast<size_t>(added);
  return {};
}

Result<void> CipherContext::Finish(SecretBytes& output, size_t* size) {
  const bool is_ccm = algorithm_.is(EVP_CIPH_CCM_MODE);
  if (is_ccm && !has_updated_) {
    static constexpr unsigned char kNothing = 0;
    if (Result<void> updated = Update({&kNothing, 0}, output, size); !updated.ok()) return updated;
  }
  if (algorithm_.is_authenticated() && !algorithm_.encrypts()) {
    // Some ciphers would succeed without a tag to compare with.
    if (tag_state_ == TagState::kUnknown || !PassTag() || has_failed_) return WithoutReason(kCannotAuthenticate);
    if (is_ccm) return {};
  }
  int added = 0;
  if (EVP_CipherFinal_ex(context_.get(), output.data() + *size, &added) != 1) {
    return OpenSSLError(algorithm_.is_authenticated() ? kCannotAuthenticate : "Unsupported state");
  }
  *size += static_cast<size_t>(added);
  if (algorithm_.is_authenticated() && algorithm_.encrypts() &&
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size()), tag_) <= 0) {
    return OpenSSLError(kCannotAuthenticate);
  }
  return {};
}

// --- CipherContext: afterwards

EvpCipherCtxPointer CipherContext::Recycle() {
  const bool begins_anew = algorithm_.is(EVP_CIPH_GCM_MODE) || algorithm_.is(EVP_CIPH_CBC_MODE) ||
                           algorithm_.is(EVP_CIPH_CTR_MODE) || algorithm_.is(EVP_CIPH_ECB_MODE) ||
                           algorithm_.is_chacha();
  static constexpr unsigned char kNoSecret[EVP_MAX_KEY_LENGTH] = {0};
  if (!begins_anew || !context_ || key_size_ > sizeof(kNoSecret) ||
      EVP_CipherInit_ex2(context_.get(), nullptr, kNoSecret, iv_size_ > 0 ? kNoSecret : nullptr, -1, nullptr) != 1) {
    return nullptr;
  }
  SetAutoPadding(true);
  return std::move(context_);
}

}  // namespace openssl_async
