// Encryption and decryption with a key.
#include "accelerator/operation_context.h"

namespace openssl_async {

namespace {

struct Ids {
  static constexpr int kNew = OSSL_FUNC_ASYM_CIPHER_NEWCTX;
  static constexpr int kFree = OSSL_FUNC_ASYM_CIPHER_FREECTX;
  static constexpr int kDuplicate = OSSL_FUNC_ASYM_CIPHER_DUPCTX;
  static constexpr int kGet = OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS;
  static constexpr int kGettable = OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS;
  static constexpr int kSet = OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS;
  static constexpr int kSettable = OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS;
};

using CipherFn = OSSL_FUNC_asym_cipher_encrypt_fn;  // and decrypt, of the same type

template <int kId, KeyUse kUse>
int Transform(void* data, unsigned char* out, size_t* out_size, size_t out_capacity, const unsigned char* in,
              size_t in_size) {
  const OperationContext* context = OperationContext::From(data);
  const auto transform = context->algorithm.Get<CipherFn>(kId);
  const auto work = [&] { return transform(context->inner, out, out_size, out_capacity, in, in_size); };
  if (out == nullptr) return work();  // asks for the size
  return Offload(OffloadClass::kAsymCipher, context->key.run_time(kUse), work);
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapAsymCipher(size_t slot, const WrappedAlgorithm& algorithm) {
  using Functions = ContextFunctions<Ids>;
  constexpr int kEncryptInit = OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT;
  constexpr int kDecryptInit = OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT;
  constexpr int kEncrypt = OSSL_FUNC_ASYM_CIPHER_ENCRYPT;
  constexpr int kDecrypt = OSSL_FUNC_ASYM_CIPHER_DECRYPT;
  return WrapContext<Ids>(slot, algorithm,
                          {
                              {kEncryptInit, ToAnyFunction(Functions::Init<kEncryptInit>)},
                              {kEncrypt, ToAnyFunction(Transform<kEncrypt, KeyUse::kEncrypt>)},
                              {kDecryptInit, ToAnyFunction(Functions::Init<kDecryptInit>)},
                              {kDecrypt, ToAnyFunction(Transform<kDecrypt, KeyUse::kDecrypt>)},
                          });
}

}  // namespace openssl_async
