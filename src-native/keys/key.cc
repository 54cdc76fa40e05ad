#include "keys/key.h"

#include <openssl/decoder.h>
#include <openssl/params.h>

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

EvpPkeyPointer Key::Transfer(ByteView der, bool is_private, const char* type, const ProviderScope& scope) {
  const EvpPkeyPointer decoded = Decode(der, is_private, type, {});
  if (!decoded) return nullptr;
  const int selection = is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(decoded.get(), selection, &params) != 1) return nullptr;
  const EvpPkeyCtxPointer context(
      EVP_PKEY_CTX_new_from_name(scope.library_context, EVP_PKEY_get0_type_name(decoded.get()), scope.query()));
  EVP_PKEY* pkey = nullptr;
  const bool ok = context && EVP_PKEY_fromdata_init(context.get()) > 0 &&
                  EVP_PKEY_fromdata(context.get(), &pkey, selection, params) > 0;
  for (const OSSL_PARAM* param = params; param->key != nullptr; ++param) {
    OPENSSL_cleanse(param->data, param->data_size);
  }
  OSSL_PARAM_free(params);
  if (!ok) EVP_PKEY_free(pkey);
  return ok ? EvpPkeyPointer(pkey) : nullptr;
}

Result<std::shared_ptr<Key>> Key::FromDer(ByteView der, bool is_private, const char* type, const ProviderScope& scope) {
  const ErrorQueueScope errors;
  const auto read = [&] {
    EvpPkeyPointer found = type == nullptr ? nullptr : Decode(der, is_private, type, scope);
    if (!found) found = Decode(der, is_private, nullptr, scope);
    if (!found && scope.query() != nullptr) found = Transfer(der, is_private, type, scope);
    return found;
  };
  EvpPkeyPointer pkey = read();
  // OpenSSL asks for a key's size once. Without memory it goes on with no size, and such a key never signs: it is read
  // again.
  if (pkey && EVP_PKEY_get_size(pkey.get()) <= 0) {
    if (EvpPkeyPointer again = read()) pkey = std::move(again);
  }
  if (!pkey) return Error{"ERR_ASYNC_INVALID_KEY", "The key cannot be used", ErrorQueue::Take().Lines()};
  return std::make_shared<Key>(std::move(pkey), scope);
}

std::string Key::GroupName() const {
  constexpr size_t kLongest = 80;
  char name[kLongest];
  size_t size = 0;
  return EVP_PKEY_get_group_name(pkey_.get(), name, sizeof(name), &size) == 1 ? std::string(name, size) : std::string();
}

}  // namespace openssl_async
