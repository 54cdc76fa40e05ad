// Signatures: of a digest, of a message in one piece, of a message in several.
#include "accelerator/algorithms.h"
#include "accelerator/signature_context.h"
#include "wrapping/newer_functions.h"

namespace openssl_async {

namespace {

constexpr OffloadClass kClass = OffloadClass::kSignature;

using SignFn = OSSL_FUNC_signature_sign_fn;      // and digest_sign
using VerifyFn = OSSL_FUNC_signature_verify_fn;  // and digest_verify
using UpdateFn = OSSL_FUNC_signature_digest_sign_update_fn;
using SignFinalFn = OSSL_FUNC_signature_digest_sign_final_fn;
using VerifyFinalFn = OSSL_FUNC_signature_digest_verify_final_fn;

void Free(void* context) { delete SignatureContext::From(context); }

void* Duplicate(void* context) { return SignatureContext::From(context)->Duplicate(); }

// --- Digests; since OpenSSL 3.4 also messages, with algorithms that name their digest

template <int kId>
int Init(void* context, void* key, const OSSL_PARAM params[]) {
  return SignatureContext::From(context)->Init(kId, static_cast<ProviderKey*>(key), params);
}

int Sign(void* data, unsigned char* signature, size_t* size, size_t capacity, const unsigned char* in, size_t in_size) {
  const SignatureContext* context = SignatureContext::From(data);
  const auto sign = context->Get<SignFn>(OSSL_FUNC_SIGNATURE_SIGN);
  const auto work = [&] { return sign(context->inner(), signature, size, capacity, in, in_size); };
  if (signature == nullptr) return work();  // asks for the size
  return Offload(kClass, context->run_time(KeyUse::kSign), work);
}

int Verify(void* data, const unsigned char* signature, size_t size, const unsigned char* in, size_t in_size) {
  const SignatureContext* context = SignatureContext::From(data);
  const auto verify = context->Get<VerifyFn>(OSSL_FUNC_SIGNATURE_VERIFY);
  return Offload(kClass, context->run_time(KeyUse::kVerify),
                 [&] { return verify(context->inner(), signature, size, in, in_size); });
}

int VerifyRecover(void* data, unsigned char* out, size_t* size, size_t capacity, const unsigned char* signature,
                  size_t signature_size) {
  const SignatureContext* context = SignatureContext::From(data);
  const auto recover = context->Get<SignFn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER);
  const auto work = [&] { return recover(context->inner(), out, size, capacity, signature, signature_size); };
  if (out == nullptr) return work();  // asks for the size
  return Offload(kClass, context->run_time(KeyUse::kRecover), work);
}

template <int kId>
int UpdateMessage(void* data, const unsigned char* in, size_t size) {
  const SignatureContext* context = SignatureContext::From(data);
  return context->Get<UpdateFn>(kId)(context->inner(), in, size);
}

int FinishSigningMessage(void* data, unsigned char* signature, size_t* size, size_t capacity) {
  const SignatureContext* context = SignatureContext::From(data);
  const auto finish = context->Get<SignFinalFn>(kSignatureSignMessageFinal);
  const auto work = [&] { return finish(context->inner(), signature, size, capacity); };
  if (signature == nullptr) return work();  // asks for the size
  return Offload(kClass, context->run_time(KeyUse::kSign), work);
}

int FinishVerifyingMessage(void* data) {
  const SignatureContext* context = SignatureContext::From(data);
  const auto finish = context->Get<SignatureVerifyMessageFinalFn>(kSignatureVerifyMessageFinal);
  return Offload(kClass, context->run_time(KeyUse::kVerify), [&] { return finish(context->inner()); });
}

// --- Messages

template <bool kVerifies>
int InitDigest(void* context, const char* digest_name, void* key, const OSSL_PARAM params[]) {
  return SignatureContext::From(context)->InitMessage(kVerifies, digest_name, static_cast<ProviderKey*>(key), params);
}

// Runs on the caller's thread: libcrypto may be handed the data in many small pieces.
template <int kId>
int UpdateDigest(void* data, const unsigned char* in, size_t size) {
  SignatureContext* context = SignatureContext::From(data);
  if (!context->Prepare()) return 0;
  context->BeginMessage();
  return context->Get<UpdateFn>(kId)(context->inner(), in, size);
}

int FinishDigestSign(void* data, unsigned char* signature, size_t* size, size_t capacity) {
  SignatureContext* context = SignatureContext::From(data);
  const auto finish = context->Get<SignFinalFn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL);
  if (signature == nullptr) {
    return context->SignatureSize(size, [&](size_t* found) { return finish(context->inner(), nullptr, found, 0); });
  }
  return Offload(kClass, context->run_time(KeyUse::kSign), [&] {
    if (!context->Prepare()) return 0;
    const int result = finish(context->inner(), signature, size, capacity);
    context->EndMessage();
    return result;
  });
}

int FinishDigestVerify(void* data, const unsigned char* signature, size_t size) {
  SignatureContext* context = SignatureContext::From(data);
  const auto finish = context->Get<VerifyFinalFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL);
  return Offload(kClass, context->run_time(KeyUse::kVerify), [&] {
    if (!context->Prepare()) return 0;
    const int result = finish(context->inner(), signature, size);
    context->EndMessage();
    return result;
  });
}

// The default provider has these two functions only where a message must come in one piece. Here every algorithm has
// them, so that the message is hashed on the pool's thread too.
int DigestSign(void* data, unsigned char* signature, size_t* size, size_t capacity, const unsigned char* in,
               size_t in_size) {
  SignatureContext* context = SignatureContext::From(data);
  const auto sign = context->Get<SignFn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN);
  const auto update = context->Get<UpdateFn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE);
  const auto finish = context->Get<SignFinalFn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL);
  if (signature == nullptr) {
    return context->SignatureSize(size, [&](size_t* found) {
      return sign != nullptr ? sign(context->inner(), nullptr, found, 0, in, in_size)
                             : finish(context->inner(), nullptr, found, 0);
    });
  }
  return Offload(kClass, context->run_time(KeyUse::kSign), [&] {
    if (!context->Prepare()) return 0;
    int result = 0;
    if (sign != nullptr) {
      result = sign(context->inner(), signature, size, capacity, in, in_size);
    } else if (update(context->inner(), in, in_size) > 0) {
      result = finish(context->inner(), signature, size, capacity);
    }
    context->EndMessage();
    return result;
  });
}

int DigestVerify(void* data, const unsigned char* signature, size_t size, const unsigned char* in, size_t in_size) {
  SignatureContext* context = SignatureContext::From(data);
  const auto verify = context->Get<VerifyFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY);
  const auto update = context->Get<UpdateFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE);
  const auto finish = context->Get<VerifyFinalFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL);
  return Offload(kClass, context->run_time(KeyUse::kVerify), [&] {
    if (!context->Prepare()) return 0;
    int result = 0;
    if (verify != nullptr) {
      result = verify(context->inner(), signature, size, in, in_size);
    } else if (update(context->inner(), in, in_size) > 0) {
      result = finish(context->inner(), signature, size);
    }
    context->EndMessage();
    return result;
  });
}

// --- Parameters

template <int kId>
int GetParams(void* data, OSSL_PARAM params[]) {
  SignatureContext* context = SignatureContext::From(data);
  return context->Prepare() ? context->Get<ContextGetFn>(kId)(context->inner(), params) : 0;
}

template <int kId>
int SetParams(void* data, const OSSL_PARAM params[]) {
  SignatureContext* context = SignatureContext::From(data);
  if (params == nullptr || params[0].key == nullptr) return 1;
  return context->PrepareToChange() ? context->Get<ContextSetFn>(kId)(context->inner(), params) : 0;
}

template <int kId>
const OSSL_PARAM* DigestParams(void* data) {
  SignatureContext* context = SignatureContext::From(data);
  const auto get = context->Get<OSSL_FUNC_signature_gettable_ctx_md_params_fn>(kId);
  return context->Prepare() ? get(context->inner()) : nullptr;
}

// --- Functions that are not told their algorithm

const WrappedAlgorithm* slots[kMostSignatures];

void* New(size_t slot, void*, const char*) { return new SignatureContext(*slots[slot]); }

template <int kId>
const OSSL_PARAM* ContextParams(size_t slot, void* data, void*) {
  SignatureContext* context = SignatureContext::From(data);
  void* inner = context != nullptr && context->Prepare() ? context->inner() : nullptr;
  return slots[slot]->Get<ContextParamsFn>(kId)(inner, DefaultProvider::Get()->context());
}

bool TakesMessages(const FunctionTable& table, int whole, int init, int update, int finish) {
  return table.Has(whole) || (table.Has(init) && table.Has(update) && table.Has(finish));
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapSignature(size_t slot, const WrappedAlgorithm& algorithm) {
  slots[slot] = &algorithm;
  constexpr int kSignInit = OSSL_FUNC_SIGNATURE_SIGN_INIT;
  constexpr int kVerifyInit = OSSL_FUNC_SIGNATURE_VERIFY_INIT;
  constexpr int kRecoverInit = OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT;
  constexpr int kSignUpdate = OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE;
  constexpr int kVerifyUpdate = OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE;
  constexpr int kGet = OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS;
  constexpr int kGettable = OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS;
  constexpr int kSet = OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS;
  constexpr int kSettable = OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS;
  constexpr int kGetDigest = OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS;
  constexpr int kGettableDigest = OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS;
  constexpr int kSetDigest = OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS;
  constexpr int kSettableDigest = OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS;
  std::vector<OSSL_DISPATCH> functions =
      OnlyImplemented(algorithm.functions,
                      {
                          {OSSL_FUNC_SIGNATURE_NEWCTX, BindSlot<New, kMostSignatures>(slot)},
                          {OSSL_FUNC_SIGNATURE_FREECTX, ToAnyFunction(Free)},
                          {OSSL_FUNC_SIGNATURE_DUPCTX, ToAnyFunction(Duplicate)},
                          {kSignInit, ToAnyFunction(Init<kSignInit>)},
                          {OSSL_FUNC_SIGNATURE_SIGN, ToAnyFunction(Sign)},
                          {kVerifyInit, ToAnyFunction(Init<kVerifyInit>)},
                          {OSSL_FUNC_SIGNATURE_VERIFY, ToAnyFunction(Verify)},
                          {kRecoverInit, ToAnyFunction(Init<kRecoverInit>)},
                          {OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, ToAnyFunction(VerifyRecover)},
                          {kSignatureSignMessageInit, ToAnyFunction(Init<kSignatureSignMessageInit>)},
                          {kSignatureSignMessageUpdate, ToAnyFunction(UpdateMessage<kSignatureSignMessageUpdate>)},
                          {kSignatureSignMessageFinal, ToAnyFunction(FinishSigningMessage)},
                          {kSignatureVerifyMessageInit, ToAnyFunction(Init<kSignatureVerifyMessageInit>)},
                          {kSignatureVerifyMessageUpdate, ToAnyFunction(UpdateMessage<kSignatureVerifyMessageUpdate>)},
                          {kSignatureVerifyMessageFinal, ToAnyFunction(FinishVerifyingMessage)},
                          {kSignatureQueryKeyTypes, algorithm.Get<void()>(kSignatureQueryKeyTypes)},
                          {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, ToAnyFunction(InitDigest<false>)},
                          {kSignUpdate, ToAnyFunction(UpdateDigest<kSignUpdate>)},
                          {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, ToAnyFunction(FinishDigestSign)},
                          {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, ToAnyFunction(InitDigest<true>)},
                          {kVerifyUpdate, ToAnyFunction(UpdateDigest<kVerifyUpdate>)},
                          {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, ToAnyFunction(FinishDigestVerify)},
                          {kGet, ToAnyFunction(GetParams<kGet>)},
                          {kGettable, BindSlot<ContextParams<kGettable>, kMostSignatures>(slot)},
                          {kSet, ToAnyFunction(SetParams<kSet>)},
                          {kSettable, BindSlot<ContextParams<kSettable>, kMostSignatures>(slot)},
                          {kGetDigest, ToAnyFunction(GetParams<kGetDigest>)},
                          {kGettableDigest, ToAnyFunction(DigestParams<kGettableDigest>)},
                          {kSetDigest, ToAnyFunction(SetParams<kSetDigest>)},
                          {kSettableDigest, ToAnyFunction(DigestParams<kSettableDigest>)},
                      });
  const FunctionTable& table = algorithm.functions;
  if (TakesMessages(table, OSSL_FUNC_SIGNATURE_DIGEST_SIGN, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                    OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL)) {
    functions.insert(functions.begin(), {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, ToAnyFunction(DigestSign)});
  }
  if (TakesMessages(table, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                    OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL)) {
    functions.insert(functions.begin(), {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, ToAnyFunction(DigestVerify)});
  }
  return functions;
}

}  // namespace openssl_async
