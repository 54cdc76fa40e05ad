#include "remote/delegated_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <vector>

#include "remote/create_key.h"
#include "remote/remote_requests.h"

namespace openssl_async {

namespace {

bool SignMessage(const Key& key, ByteView message, SecretBytes* signature) {
  const ProviderScope& scope = key.scope();
  const EvpMdCtxPointer context(EVP_MD_CTX_new());
  size_t size = 0;
  return context &&
         EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, scope.library_context, scope.query(), key.pkey(),
                               nullptr) == 1 &&
         EVP_DigestSign(context.get(), nullptr, &size, message.data, message.size) == 1 && signature->Resize(size) &&
         EVP_DigestSign(context.get(), signature->data(), &size, message.data, message.size) == 1 &&
         signature->Resize(size);
}

bool SignDigest(const Key& key, const RemoteQuestion& question, SecretBytes* signature) {
  const EvpPkeyCtxPointer context = key.NewContext();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1) return false;
  const auto text = [](const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
  };
  RemoteQuestion asked = question;
  std::vector<OSSL_PARAM> params;
  if (asked.digest != nullptr) params.push_back(text(OSSL_SIGNATURE_PARAM_DIGEST, asked.digest));
  if (asked.padding != RemoteQuestion::kNone) {
    params.push_back(OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &asked.padding));
  }
  if (asked.padding == RSA_PKCS1_PSS_PADDING) {
    params.push_back(OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &asked.salt_length));
    params.push_back(text(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, asked.mgf1_digest));
  }
  params.push_back(OSSL_PARAM_construct_end());
  size_t size = 0;
  return EVP_PKEY_CTX_set_params(context.get(), params.data()) == 1 &&
         EVP_PKEY_sign(context.get(), nullptr, &size, asked.bytes.data, asked.bytes.size) == 1 &&
         signature->Resize(size) &&
         EVP_PKEY_sign(context.get(), signature->data(), &size, asked.bytes.data, asked.bytes.size) == 1 &&
         signature->Resize(size);
}

}  // namespace

Result<std::shared_ptr<Key>> DelegateTo(const std::shared_ptr<Key>& key, ByteView spki) {
  auto holder = std::make_shared<RemoteHolder>();
  holder->operations = 1U << static_cast<unsigned>(RemoteOperation::kSign);
  holder->answer_here = [key](const RemoteQuestion& question, SecretBytes* signature) {
    const bool is_message = question.digest == nullptr && question.padding == RemoteQuestion::kNone;
    return is_message ? SignMessage(*key, question.bytes, signature) : SignDigest(*key, question, signature);
  };
  return CreateRemoteKey(spki, EVP_PKEY_get0_type_name(key->pkey()), std::move(holder));
}

}  // namespace openssl_async
