#include "keys/key.h"

#include <openssl/decoder.h>

#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

using DecoderCtxPointer = DeleteFnPtr<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;

}  // namespace

EvpPkeyPointer Key::Decode(ByteView der, bool is_private, const char* type, const ProviderScope& scope) {
  EVP_PKEY* pkey = nullptr;
  const int selection = is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  const char* structure = is_private ? "PrivateKeyInfo" : "SubjectPublicKeyInfo";
  const DecoderCtxPointer decoder(
      OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", structure, type, selection, scope.library_context, scope.query()));
  const unsigned char* at = der.data;
  size_t left = der.size;
  if (!decoder || OSSL_DECODER_from_data(decoder.get(), &at, &left) != 1) return nullptr;
  return EvpPkeyPointer(pkey);
}

Result<std::shared_ptr<Key>> Key::FromDer(ByteView der, bool is_private, const char* type, const ProviderScope& scope) {
  const ErrorQueueScope errors;
  EvpPkeyPointer pkey = type == nullptr ? nullptr : Decode(der, is_private, type, scope);
  if (!pkey) pkey = Decode(der, is_private, nullptr, scope);
  if (!pkey) return Error{"ERR_ASYNC_INVALID_KEY", "The key cannot be used", ErrorQueue::Take().Lines()};
  return std::make_shared<Key>(std::move(pkey), scope);
}

}  // namespace openssl_async
