// One encryption or decryption: EVP_CIPHER_CTX as node:crypto's Cipheriv and Decipheriv use it. Refuses the same
// arguments with the same codes.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/provider_scope.h"
#include "openssl/pointers.h"

namespace openssl_async {

enum class CipherDirection { kEncrypt, kDecrypt };

// A cipher by the name that node:crypto knows.
class CipherAlgorithm {
 public:
  static Result<CipherAlgorithm> Fetch(const std::string& name, CipherDirection direction, const ProviderScope& scope);

  const std::string& name() const { return name_; }
  // Null, with the error in missing(), when no loaded provider has the cipher.
  EVP_CIPHER* cipher() const { return cipher_.get(); }
  const Error& missing() const { return missing_; }
  const OSSL_PROVIDER* provider() const { return cipher_ ? EVP_CIPHER_get0_provider(cipher_.get()) : nullptr; }
  bool encrypts() const { return direction_ == CipherDirection::kEncrypt; }
  int mode() const { return mode_; }
  size_t iv_size() const { return iv_size_; }
  size_t block_size() const { return block_size_; }
  // GCM, CCM, OCB and ChaCha20-Poly1305.
  bool is_authenticated() const { return is_authenticated_; }
  bool is_chacha() const { return is_chacha_; }
  bool is(int mode) const { return mode_ == mode; }

 private:
  CipherAlgorithm(std::string name, CipherDirection direction) : name_(std::move(name)), direction_(direction) {}
  void Read(const EVP_CIPHER* cipher);

  std::string name_;
  CipherDirection direction_;
  EvpCipherPointer cipher_;
  Error missing_;
  int mode_ = 0;
  size_t iv_size_ = 0;
  size_t block_size_ = 1;
  bool is_authenticated_ = false;
  bool is_chacha_ = false;
};

class CipherContext {
 public:
  static constexpr size_t kMostTagBytes = 16;
  static constexpr int kNoTagLength = -1;

  explicit CipherContext(const CipherAlgorithm& algorithm) : algorithm_(algorithm) {}
  // Uses an OpenSSL context from Recycle() again; null for none.
  CipherContext(const CipherAlgorithm& algorithm, EvpCipherCtxPointer used)
      : algorithm_(algorithm), context_(std::move(used)), is_used_(context_ != nullptr) {}

  // `tag_length` is the option authTagLength, or kNoTagLength.
  Result<void> Init(ByteView key, ByteView iv, int tag_length);
  void SetAutoPadding(bool pads);
  // The tag that a decryption must end with.
  Result<void> SetTag(ByteView tag);
  // CCM has to know `plaintext_size` beforehand.
  Result<void> AddAuthenticatedData(ByteView data, size_t plaintext_size);
  // Appends to `output`, whose first `*size` bytes are in use, and which has at least MostOutputBytes() bytes in all.
  Result<void> Update(ByteView data, SecretBytes& output, size_t* size);
  Result<void> Finish(SecretBytes& output, size_t* size);

  // The most bytes that Update() with this much data and a Finish() after it give.
  size_t MostOutputBytes(size_t data_size) const;
  // After Finish() of an encryption.
  ByteView tag() const { return {tag_, tag_size()}; }
  // Returns the OpenSSL context for another Init(), with no trace of the key. Null when it cannot be used again.
  EvpCipherCtxPointer Recycle();

 private:
  enum class TagState { kUnknown, kKnown, kPassed };

  Result<void> InitAuthenticated(ByteView iv, int tag_length);
  bool PassTag();
  bool IsMessageTooLong(size_t size) const;
  size_t tag_size() const { return tag_length_ == kNoTagLength ? kMostTagBytes : static_cast<size_t>(tag_length_); }

  const CipherAlgorithm& algorithm_;
  EvpCipherCtxPointer context_;
  bool is_used_ = false;
  size_t iv_size_ = 0;
  size_t key_size_ = 0;
  int tag_length_ = kNoTagLength;
  TagState tag_state_ = TagState::kUnknown;
  bool has_updated_ = false;
  bool has_failed_ = false;  // CCM finds a wrong tag in Update(); Finish() reports it
  bool pads_ = true;
  unsigned char tag_[kMostTagBytes] = {};
};

}  // namespace openssl_async
