// Decryption by the holder of an RSA key; encryption with its public part.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>

#include "remote/context.h"

namespace openssl_async {

namespace {

using Context =
    RemoteContext<OSSL_FUNC_ASYM_CIPHER_NEWCTX, OSSL_FUNC_ASYM_CIPHER_FREECTX, OSSL_FUNC_ASYM_CIPHER_DUPCTX>;
using InitFn = OSSL_FUNC_asym_cipher_decrypt_init_fn;  // and encrypt_init
using GetParamsFn = OSSL_FUNC_asym_cipher_get_ctx_params_fn;
using SetParamsFn = OSSL_FUNC_asym_cipher_set_ctx_params_fn;

constexpr size_t kMostNameBytes = 64;
constexpr size_t kPremasterBytes = 48;

// A question, with the memory that it borrows.
struct Question {
  RemoteQuestion asked;
  int padding = 0;
  char digest[kMostNameBytes] = "";
  char mgf1_digest[kMostNameBytes] = "";
};

bool Describe(const Context& context, ByteView ciphertext, Question* question) {
  int& padding = question->padding;
  void* label = nullptr;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &padding),
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, question->digest, kMostNameBytes),
      OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, question->mgf1_digest, kMostNameBytes),
      OSSL_PARAM_construct_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &label, 0),
      OSSL_PARAM_END,
  };
  if (context.algorithm.Get<GetParamsFn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS)(context.inner, params) != 1) {
    return false;
  }
  RemoteQuestion& asked = question->asked;
  asked.operation = RemoteOperation::kDecrypt;
  asked.bytes = ciphertext;
  // libssl's padding is that of PKCS#1 v1.5; what is within is looked at here.
  const bool is_premaster = padding == RSA_PKCS1_WITH_TLS_PADDING;
  asked.padding = is_premaster ? RSA_PKCS1_PADDING : padding;
  if (is_premaster || padding == RSA_PKCS1_PADDING || padding == RSA_NO_PADDING) return true;
  if (padding != RSA_PKCS1_OAEP_PADDING) {
    RaiseOwn(OwnReason::kRemoteKeyUnsupported, "A remote key decrypts only with OAEP, PKCS#1 v1.5 or no padding");
    return false;
  }
  if (question->digest[0] == '\0') memcpy(question->digest, "SHA1", sizeof("SHA1"));
  if (question->mgf1_digest[0] == '\0') memcpy(question->mgf1_digest, question->digest, kMostNameBytes);
  asked.digest = question->digest;
  asked.mgf1_digest = question->mgf1_digest;
  if (label != nullptr) asked.label = {static_cast<const unsigned char*>(label), params[3].return_size};
  return true;
}

struct Versions {
  unsigned client = 0;
  unsigned negotiated = 0;  // 0: the client's alone counts
};

bool ReadVersions(const Context& context, Versions* versions) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &versions->client),
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &versions->negotiated),
      OSSL_PARAM_END,
  };
  return context.algorithm.Get<GetParamsFn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS)(context.inner, params) == 1;
}

// Random bytes take the place of a plaintext that is no premaster secret (RFC 5246, section 7.4.7.1). Its bytes decide
// nothing that a clock or a cache could tell; its length is known to the holder and to JavaScript anyway.
bool TakePremaster(const Versions& versions, const SecretBytes& plaintext, unsigned char out[kPremasterBytes]) {
  unsigned char random[kPremasterBytes];
  if (RAND_priv_bytes(random, sizeof(random)) != 1) return false;
  memset(out, 0, kPremasterBytes);
  memcpy(out, plaintext.data(), std::min(plaintext.size(), kPremasterBytes));
  const unsigned version = static_cast<unsigned>(out[0]) << 8U | out[1];
  const auto is_zero = [](unsigned value) { return (value - 1U) >> 31U; };  // of 31 bits at most
  const unsigned is_negotiated = is_zero(version ^ versions.negotiated) & (is_zero(versions.negotiated) ^ 1U);
  const unsigned is_good = (is_zero(version ^ versions.client) | is_negotiated) &
                           is_zero(static_cast<unsigned>(plaintext.size()) ^ static_cast<unsigned>(kPremasterBytes));
  const auto keeps = static_cast<unsigned char>(0U - is_good);
  for (size_t i = 0; i < kPremasterBytes; ++i) {
    out[i] = static_cast<unsigned char>((out[i] & keeps) | (random[i] & static_cast<unsigned char>(~keeps)));
  }
  OPENSSL_cleanse(random, sizeof(random));
  return true;
}

int Decrypt(void* data, unsigned char* out, size_t* out_size, size_t out_capacity, const unsigned char* in,
            size_t in_size) {
  const Context& context = *Context::From(data);
  const auto most = static_cast<size_t>(context.key->Number(OSSL_PKEY_PARAM_MAX_SIZE));
  if (out == nullptr) {
    *out_size = most;
    return 1;
  }
  if (in_size > most) {
    ERR_raise(ERR_LIB_PROV, PROV_R_BAD_LENGTH);
    return 0;
  }
  Question question;
  SecretBytes answer;
  if (!Describe(context, {in, in_size}, &question)) return 0;
  if (question.padding == RSA_PKCS1_WITH_TLS_PADDING) {
    Versions versions;
    if (out_capacity < kPremasterBytes || !ReadVersions(context, &versions)) {
      ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
      return 0;
    }
    // Many holders refuse a wrong padding. A client that could tell would decrypt with the key (Bleichenbacher's
    // attack).
    ERR_set_mark();
    if (!context.key->Ask(question.asked, &answer)) answer = {};
    ERR_pop_to_mark();
    *out_size = kPremasterBytes;
    return TakePremaster(versions, answer, out) ? 1 : 0;
  }
  if (!context.key->Ask(question.asked, &answer)) return 0;
  const bool is_whole = question.asked.padding == RSA_NO_PADDING;
  if (is_whole ? answer.size() != most : answer.size() >= most) {
    RaiseOwn(OwnReason::kRemoteKeyInvalidResult, "The remote key's plaintext has a wrong length");
    return 0;
  }
  if (answer.size() > out_capacity) {
    ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
    return 0;
  }
  memcpy(out, answer.data(), answer.size());
  *out_size = answer.size();
  return 1;
}

template <int kId>
int Init(void* data, void* key, const OSSL_PARAM params[]) {
  Context* context = Context::From(data);
  if (key != nullptr) context->key = ToRemoteKey(key);
  return context->algorithm.Get<InitFn>(kId)(context->inner, key == nullptr ? nullptr : context->key->inner(), params);
}

int Encrypt(void* data, unsigned char* out, size_t* out_size, size_t out_capacity, const unsigned char* in,
            size_t in_size) {
  const Context& context = *Context::From(data);
  const auto encrypt = context.algorithm.Get<OSSL_FUNC_asym_cipher_encrypt_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT);
  return encrypt(context.inner, out, out_size, out_capacity, in, in_size);
}

int GetParams(void* data, OSSL_PARAM params[]) {
  const Context& context = *Context::From(data);
  return context.algorithm.Get<GetParamsFn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS)(context.inner, params);
}

int SetParams(void* data, const OSSL_PARAM params[]) {
  const Context& context = *Context::From(data);
  return context.algorithm.Get<SetParamsFn>(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS)(context.inner, params);
}

// --- Functions that are not told their algorithm

const WrappedAlgorithm* slots[kMostRemote];

void* New(size_t slot, void*) { return Context::Make(*slots[slot]); }

template <int kId>
const OSSL_PARAM* ContextParams(size_t slot, void* data, void*) {
  using Function = OSSL_FUNC_asym_cipher_gettable_ctx_params_fn;
  void* inner = data == nullptr ? nullptr : Context::From(data)->inner;
  return slots[slot]->Get<Function>(kId)(inner, DefaultProvider::Get()->context());
}

}  // namespace

std::vector<OSSL_DISPATCH> RemoteAsymCipher(size_t slot, const WrappedAlgorithm& algorithm) {
  slots[slot] = &algorithm;
  constexpr int kEncryptInit = OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT;
  constexpr int kDecryptInit = OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT;
  constexpr int kGettable = OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS;
  constexpr int kSettable = OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS;
  return OnlyImplemented(algorithm.functions, {
                                                  {OSSL_FUNC_ASYM_CIPHER_NEWCTX, BindSlot<New, kMostRemote>(slot)},
                                                  {OSSL_FUNC_ASYM_CIPHER_FREECTX, ToAnyFunction(Context::Free)},
                                                  {OSSL_FUNC_ASYM_CIPHER_DUPCTX, ToAnyFunction(Context::Duplicate)},
                                                  {kEncryptInit, ToAnyFunction(Init<kEncryptInit>)},
                                                  {OSSL_FUNC_ASYM_CIPHER_ENCRYPT, ToAnyFunction(Encrypt)},
                                                  {kDecryptInit, ToAnyFunction(Init<kDecryptInit>)},
                                                  {OSSL_FUNC_ASYM_CIPHER_DECRYPT, ToAnyFunction(Decrypt)},
                                                  {OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, ToAnyFunction(GetParams)},
                                                  {kGettable, BindSlot<ContextParams<kGettable>, kMostRemote>(slot)},
                                                  {OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, ToAnyFunction(SetParams)},
                                                  {kSettable, BindSlot<ContextParams<kSettable>, kMostRemote>(slot)},
                                              });
}

}  // namespace openssl_async
