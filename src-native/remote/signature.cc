// Signatures: the key's holder makes them; the default provider checks them and handles all parameters.
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>

#include "remote/remote_key.h"

namespace openssl_async {

namespace {

using InitFn = OSSL_FUNC_signature_sign_init_fn;               // and verify_init, verify_recover_init
using InitDigestFn = OSSL_FUNC_signature_digest_sign_init_fn;  // and digest_verify_init
using UpdateFn = OSSL_FUNC_signature_digest_verify_update_fn;
using VerifyFn = OSSL_FUNC_signature_verify_fn;  // and digest_verify
using VerifyFinalFn = OSSL_FUNC_signature_digest_verify_final_fn;
using RecoverFn = OSSL_FUNC_signature_verify_recover_fn;
using GetParamsFn = OSSL_FUNC_signature_get_ctx_params_fn;
using SetParamsFn = OSSL_FUNC_signature_set_ctx_params_fn;

constexpr size_t kMostNameBytes = 64;

// Has a context of the default provider's with the public key. Setting that context up for signing takes no private
// key, so it checks and keeps the parameters.
class Context {
 public:
  explicit Context(const WrappedAlgorithm& algorithm) : algorithm_(algorithm) {}
  ~Context() {
    if (inner_ != nullptr) Get<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX)(inner_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  static Context* From(void* context) { return static_cast<Context*>(context); }

  template <typename Function>
  Function* Get(int id) const {
    return algorithm_.Get<Function>(id);
  }
  const WrappedAlgorithm& algorithm() const { return algorithm_; }
  void* inner() const { return inner_; }
  RemoteKey& key() const { return *key_; }
  EVP_MD_CTX* hash() const { return hash_.get(); }

  bool Open() {
    const auto create = Get<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX);
    inner_ = create(DefaultProvider::Get()->context(), nullptr);
    return inner_ != nullptr;
  }

  int Init(int id, void* key, const OSSL_PARAM params[]) {
    hash_.reset();
    return Get<InitFn>(id)(inner_, Use(key), params);
  }
  int InitDigest(int id, const char* digest_name, void* key, const OSSL_PARAM params[]) {
    return Get<InitDigestFn>(id)(inner_, digest_name, Use(key), params);
  }

  // For a message that the holder gets as its digest.
  bool StartHash();
  Context* Duplicate() const;

  // Whether the holder gets messages as they are.
  bool is_pure() const { return !is_rsa() && !algorithm_.Is("ECDSA"); }
  bool is_rsa() const { return algorithm_.Is("RSA"); }

  // `name` is empty when there is none.
  bool ReadDigest(char* name) const {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name, kMostNameBytes),
                           OSSL_PARAM_END};
    name[0] = '\0';
    return Get<GetParamsFn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS)(inner_, params) == 1;
  }

 private:
  void* Use(void* key) {
    if (key == nullptr) return nullptr;
    key_ = ToRemoteKey(key);
    return key_->inner();
  }

  const WrappedAlgorithm& algorithm_;
  RemoteKeyPointer key_;
  void* inner_ = nullptr;
  EvpMdCtxPointer hash_;
};

EvpMdPointer FetchDigest(const char* name) {
  return EvpMdPointer(EVP_MD_fetch(DefaultProvider::Get()->library_context(), name, nullptr));
}

bool Context::StartHash() {
  char name[kMostNameBytes];
  if (!ReadDigest(name)) return false;
  const EvpMdPointer digest = FetchDigest(name);
  hash_.reset(EVP_MD_CTX_new());
  return digest && hash_ && EVP_DigestInit_ex2(hash_.get(), digest.get(), nullptr) == 1;
}

Context* Context::Duplicate() const {
  auto copy = std::make_unique<Context>(algorithm_);
  copy->key_ = key_;
  copy->inner_ = Get<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX)(inner_);
  if (copy->inner_ == nullptr) return nullptr;
  if (hash_) {
    copy->hash_.reset(EVP_MD_CTX_new());
    if (!copy->hash_ || EVP_MD_CTX_copy_ex(copy->hash_.get(), hash_.get()) != 1) return nullptr;
  }
  return copy.release();
}

// --- The holder's part

// A question, with the memory that it borrows.
struct Question {
  RemoteQuestion asked;
  char digest[kMostNameBytes] = "";
  char mgf1_digest[kMostNameBytes] = "";
};

bool Unsupported(const char* detail) {
  RaiseOwn(OwnReason::kRemoteKeyUnsupported, detail);
  return false;
}

// Finds the salt's length; PSS with a key of this size allows at most `most` bytes.
bool ResolveSaltLength(int salt_length, int digest_size, int most, int* resolved) {
  switch (salt_length) {
    case RSA_PSS_SALTLEN_DIGEST:
      *resolved = digest_size;
      break;
    case RSA_PSS_SALTLEN_AUTO:
    case RSA_PSS_SALTLEN_MAX:
      *resolved = most;
      break;
    case -4:  // RSA_PSS_SALTLEN_AUTO_DIGEST_MAX, since OpenSSL 3.1
      *resolved = std::min(digest_size, most);
      break;
    default:
      *resolved = salt_length;
  }
  if (*resolved >= 0 && *resolved <= most) return true;
  ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_SALT_LENGTH);
  return false;
}

bool ReadRsaParams(const Context& context, int digest_size, Question* question) {
  int padding = 0;
  int salt_length = 0;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding),
      OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_length),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, question->mgf1_digest, kMostNameBytes),
      OSSL_PARAM_END,
  };
  if (context.Get<GetParamsFn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS)(context.inner(), params) != 1) return false;
  RemoteQuestion& asked = question->asked;
  asked.padding = padding;
  switch (padding) {
    case RSA_PKCS1_PADDING:
    case RSA_NO_PADDING:
      return true;
    case RSA_PKCS1_PSS_PADDING:
      break;
    default:
      return Unsupported("A remote key signs only with PKCS#1 v1.5, PSS or no padding");
  }
  if (digest_size == 0) {
    ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_MESSAGE_DIGEST);
    return false;
  }
  if (question->mgf1_digest[0] == '\0') memcpy(question->mgf1_digest, question->digest, kMostNameBytes);
  asked.mgf1_digest = question->mgf1_digest;
  const int encoded_size = (context.key().Number(OSSL_PKEY_PARAM_BITS) - 1 + 7) / 8;
  return ResolveSaltLength(salt_length, digest_size, encoded_size - digest_size - 2, &asked.salt_length);
}

bool Describe(const Context& context, ByteView bytes, Question* question) {
  question->asked.operation = RemoteOperation::kSign;
  question->asked.bytes = bytes;
  if (context.is_pure()) return true;
  int digest_size = 0;
  if (!context.ReadDigest(question->digest)) return false;
  if (question->digest[0] != '\0') {
    const EvpMdPointer digest = FetchDigest(question->digest);
    if (!digest) return false;
    digest_size = EVP_MD_get_size(digest.get());
    if (bytes.size != static_cast<size_t>(digest_size)) {
      ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_DIGEST_LENGTH);
      return false;
    }
    question->asked.digest = question->digest;
  }
  return !context.is_rsa() || ReadRsaParams(context, digest_size, question);
}

// --- The answer

bool Invalid(const char* detail) {
  RaiseOwn(OwnReason::kRemoteKeyInvalidResult, detail);
  return false;
}

// r and s next to each other become DER.
bool ToDer(SecretBytes* signature) {
  const int part = static_cast<int>(signature->size() / 2);
  const EcdsaSigPointer parsed(ECDSA_SIG_new());
  BignumPointer r(BN_bin2bn(signature->data(), part, nullptr));
  BignumPointer s(BN_bin2bn(signature->data() + part, part, nullptr));
  if (!parsed || !r || !s || ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(parsed.get(), nullptr);
  if (size <= 0 || !signature->Resize(static_cast<size_t>(size))) return false;
  unsigned char* at = signature->data();
  return i2d_ECDSA_SIG(parsed.get(), &at) == size;
}

bool IsDer(const SecretBytes& signature) {
  const unsigned char* at = signature.data();
  const EcdsaSigPointer parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
  return parsed && at == signature.data() + signature.size();
}

bool HasRightForm(const Context& context, SecretBytes* signature) {
  const RemoteKey& key = context.key();
  const auto most = static_cast<size_t>(key.Number(OSSL_PKEY_PARAM_MAX_SIZE));
  if (!context.algorithm().Is("ECDSA")) {
    return signature->size() == most || Invalid("The remote key's signature has a wrong length");
  }
  if (key.holder()->p1363) {
    const auto part = static_cast<size_t>(key.Number(OSSL_PKEY_PARAM_BITS) + 7) / 8;
    if (signature->size() != 2 * part) return Invalid("The remote key's signature has a wrong length");
    if (!ToDer(signature)) return false;
  }
  ERR_set_mark();
  const bool is_der = signature->size() <= most && IsDer(*signature);
  ERR_pop_to_mark();
  return is_der || Invalid("The remote key's signature is not a DER-encoded ECDSA signature");
}

// Any thread. The caller drops its errors and raises one of its own.
bool IsValid(const Context& context, const Question& question, ByteView signature) {
  Context verifier(context.algorithm());
  const RemoteQuestion& asked = question.asked;
  if (!verifier.Open()) return false;
  void* inner = verifier.inner();
  void* key = context.key().inner();
  if (context.is_pure()) {
    const auto init = context.Get<InitDigestFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT);
    const auto verify = context.Get<VerifyFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY);
    return init(inner, nullptr, key, nullptr) == 1 &&
           verify(inner, signature.data, signature.size, asked.bytes.data, asked.bytes.size) == 1;
  }
  std::vector<OSSL_PARAM> params;
  const auto text = [](const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
  };
  int padding = asked.padding;
  int salt_length = asked.salt_length;
  if (asked.digest != nullptr) params.push_back(text(OSSL_SIGNATURE_PARAM_DIGEST, asked.digest));
  if (context.is_rsa()) params.push_back(OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding));
  if (asked.mgf1_digest != nullptr) {
    params.push_back(OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_length));
    params.push_back(text(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, asked.mgf1_digest));
  }
  params.push_back(OSSL_PARAM_construct_end());
  const auto init = context.Get<InitFn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT);
  const auto verify = context.Get<VerifyFn>(OSSL_FUNC_SIGNATURE_VERIFY);
  return init(inner, key, params.data()) == 1 &&
         verify(inner, signature.data, signature.size, asked.bytes.data, asked.bytes.size) == 1;
}

// Runs on the pool where the job can pause.
bool Check(const Context& context, const Question& question, ByteView signature) {
  const int valid = Offload(OffloadClass::kSignature, &context.key().verify_time(), [&] {
    ERR_set_mark();
    const bool is_valid = IsValid(context, question, signature);
    ERR_pop_to_mark();
    return is_valid ? 1 : 0;
  });
  return valid == 1 || Invalid("The remote key's signature is not valid");
}

int SignBytes(const Context& context, ByteView bytes, unsigned char* signature, size_t* size, size_t capacity) {
  Question question;
  SecretBytes answer;
  if (!Describe(context, bytes, &question) || !context.key().Ask(question.asked, &answer) ||
      !HasRightForm(context, &answer)) {
    return 0;
  }
  if (context.key().holder()->verifies && !Check(context, question, answer.view())) return 0;
  if (answer.size() > capacity) {
    ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
    return 0;
  }
  memcpy(signature, answer.data(), answer.size());
  *size = answer.size();
  return 1;
}

int TellSize(const Context& context, size_t* size) {
  *size = static_cast<size_t>(context.key().Number(OSSL_PKEY_PARAM_MAX_SIZE));
  return *size > 0 ? 1 : 0;
}

// --- Signing

// A holder is not told of these parameters, and would make another signature.
bool CanBeAsked(const OSSL_PARAM params[]) {
  if (params == nullptr) return true;
  for (const char* name : {"nonce-type", "context-string", "instance"}) {
    if (OSSL_PARAM_locate_const(params, name) != nullptr) {
      return Unsupported("A remote key takes neither a context string nor a kind of nonce");
    }
  }
  return true;
}

int InitSign(void* data, void* key, const OSSL_PARAM params[]) {
  return CanBeAsked(params) ? Context::From(data)->Init(OSSL_FUNC_SIGNATURE_SIGN_INIT, key, params) : 0;
}

int Sign(void* data, unsigned char* signature, size_t* size, size_t capacity, const unsigned char* in, size_t in_size) {
  const Context& context = *Context::From(data);
  if (signature == nullptr) return TellSize(context, size);
  return SignBytes(context, {in, in_size}, signature, size, capacity);
}

int InitDigestSign(void* data, const char* digest_name, void* key, const OSSL_PARAM params[]) {
  Context* context = Context::From(data);
  if (!CanBeAsked(params)) return 0;
  const int result = context->InitDigest(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_name, key, params);
  if (result <= 0 || context->is_pure()) return result;
  return context->StartHash() ? 1 : 0;
}

int UpdateDigestSign(void* data, const unsigned char* in, size_t size) {
  return EVP_DigestUpdate(Context::From(data)->hash(), in, size);
}

int FinishDigestSign(void* data, unsigned char* signature, size_t* size, size_t capacity) {
  const Context& context = *Context::From(data);
  if (signature == nullptr) return TellSize(context, size);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digest_size = 0;
  if (EVP_DigestFinal_ex(context.hash(), digest, &digest_size) != 1) return 0;
  return SignBytes(context, {digest, digest_size}, signature, size, capacity);
}

int DigestSign(void* data, unsigned char* signature, size_t* size, size_t capacity, const unsigned char* in,
               size_t in_size) {
  const Context& context = *Context::From(data);
  if (signature == nullptr) return TellSize(context, size);
  if (context.is_pure()) return SignBytes(context, {in, in_size}, signature, size, capacity);
  if (EVP_DigestUpdate(context.hash(), in, in_size) != 1) return 0;
  return FinishDigestSign(data, signature, size, capacity);
}

// --- Verifying, with the public key only

template <int kId>
int Init(void* data, void* key, const OSSL_PARAM params[]) {
  return Context::From(data)->Init(kId, key, params);
}

int Verify(void* data, const unsigned char* signature, size_t size, const unsigned char* in, size_t in_size) {
  const Context& context = *Context::From(data);
  return context.Get<VerifyFn>(OSSL_FUNC_SIGNATURE_VERIFY)(context.inner(), signature, size, in, in_size);
}

int Recover(void* data, unsigned char* out, size_t* size, size_t capacity, const unsigned char* signature,
            size_t signature_size) {
  const Context& context = *Context::From(data);
  const auto recover = context.Get<RecoverFn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER);
  return recover(context.inner(), out, size, capacity, signature, signature_size);
}

int InitDigestVerify(void* data, const char* digest_name, void* key, const OSSL_PARAM params[]) {
  return Context::From(data)->InitDigest(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, digest_name, key, params);
}

int UpdateDigestVerify(void* data, const unsigned char* in, size_t size) {
  const Context& context = *Context::From(data);
  return context.Get<UpdateFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE)(context.inner(), in, size);
}

int FinishDigestVerify(void* data, const unsigned char* signature, size_t size) {
  const Context& context = *Context::From(data);
  return context.Get<VerifyFinalFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL)(context.inner(), signature, size);
}

int DigestVerify(void* data, const unsigned char* signature, size_t size, const unsigned char* in, size_t in_size) {
  const Context& context = *Context::From(data);
  const auto verify = context.Get<VerifyFn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY);
  return verify(context.inner(), signature, size, in, in_size);
}

// --- Contexts and their parameters

const WrappedAlgorithm* slots[kMostRemote];

void* New(size_t slot, void*, const char*) {
  auto context = std::make_unique<Context>(*slots[slot]);
  return context->Open() ? context.release() : nullptr;
}

void Free(void* context) { delete Context::From(context); }

void* Duplicate(void* context) { return Context::From(context)->Duplicate(); }

int GetParams(void* data, OSSL_PARAM params[]) {
  const Context& context = *Context::From(data);
  return context.Get<GetParamsFn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS)(context.inner(), params);
}

int SetParams(void* data, const OSSL_PARAM params[]) {
  const Context& context = *Context::From(data);
  if (!CanBeAsked(params)) return 0;
  return context.Get<SetParamsFn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS)(context.inner(), params);
}

template <int kId>
const OSSL_PARAM* ContextParams(size_t slot, void* data, void*) {
  using Function = OSSL_FUNC_signature_gettable_ctx_params_fn;
  void* inner = data == nullptr ? nullptr : Context::From(data)->inner();
  return slots[slot]->Get<Function>(kId)(inner, DefaultProvider::Get()->context());
}

}  // namespace

std::vector<OSSL_DISPATCH> RemoteSignature(size_t slot, const WrappedAlgorithm& algorithm) {
  slots[slot] = &algorithm;
  constexpr int kVerifyInit = OSSL_FUNC_SIGNATURE_VERIFY_INIT;
  constexpr int kRecoverInit = OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT;
  constexpr int kGettable = OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS;
  constexpr int kSettable = OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS;
  std::vector<OSSL_DISPATCH> functions = {
      {OSSL_FUNC_SIGNATURE_NEWCTX, BindSlot<New, kMostRemote>(slot)},
      {OSSL_FUNC_SIGNATURE_FREECTX, ToAnyFunction(Free)},
      {OSSL_FUNC_SIGNATURE_DUPCTX, ToAnyFunction(Duplicate)},
      {kVerifyInit, ToAnyFunction(Init<kVerifyInit>)},
      {OSSL_FUNC_SIGNATURE_VERIFY, ToAnyFunction(Verify)},
      {kRecoverInit, ToAnyFunction(Init<kRecoverInit>)},
      {OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, ToAnyFunction(Recover)},
      {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, ToAnyFunction(InitDigestSign)},
      {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, ToAnyFunction(InitDigestVerify)},
      {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, ToAnyFunction(UpdateDigestVerify)},
      {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, ToAnyFunction(FinishDigestVerify)},
      {OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, ToAnyFunction(DigestVerify)},
      {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, ToAnyFunction(GetParams)},
      {kGettable, BindSlot<ContextParams<kGettable>, kMostRemote>(slot)},
  };
  const bool is_pure = Context(algorithm).is_pure();
  if (!is_pure) {
    functions.push_back({OSSL_FUNC_SIGNATURE_SIGN_INIT, ToAnyFunction(InitSign)});
    functions.push_back({OSSL_FUNC_SIGNATURE_SIGN, ToAnyFunction(Sign)});
    functions.push_back({OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, ToAnyFunction(UpdateDigestSign)});
    functions.push_back({OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, ToAnyFunction(FinishDigestSign)});
    functions.push_back({OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, ToAnyFunction(SetParams)});
    functions.push_back({kSettable, BindSlot<ContextParams<kSettable>, kMostRemote>(slot)});
  }
  functions = OnlyImplemented(algorithm.functions, std::move(functions));
  // Some algorithms take a message in one piece only; here all of them do.
  functions.insert(functions.begin(), {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, ToAnyFunction(DigestSign)});
  return functions;
}

}  // namespace openssl_async
