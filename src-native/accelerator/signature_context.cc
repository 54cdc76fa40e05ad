#include "accelerator/signature_context.h"

#include <openssl/err.h>

namespace openssl_async {

namespace {

bool IsEmpty(const OSSL_PARAM params[]) { return params == nullptr || params[0].key == nullptr; }

}  // namespace

bool SignatureContext::MakeInner() {
  inner_epoch_ = CacheEpoch();
  // No properties: the caller's choose among its providers, and here is only one.
  inner_ = Get<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX)(DefaultProvider::Get()->context(), nullptr);
  return inner_ != nullptr;
}

void SignatureContext::FreeInner() {
  Get<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX)(inner_);
  inner_ = nullptr;
}

void SignatureContext::LetInnerGo() {
  if (inner_ != nullptr) {
    if (setup_ == nullptr) {
      FreeInner();
    } else {
      key_->message_contexts().Put(*setup_, std::exchange(inner_, nullptr), inner_epoch_);
    }
  }
  setup_ = nullptr;
}

int SignatureContext::CallInitMessage(bool verifies, const char* digest_name, void* key, const OSSL_PARAM params[]) {
  const int id = verifies ? OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT : OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT;
  return Get<OSSL_FUNC_signature_digest_sign_init_fn>(id)(inner_, digest_name, key, params);
}

int SignatureContext::Init(int id, ProviderKey* key, const OSSL_PARAM params[]) {
  if (key != nullptr || setup_ != nullptr) {
    LetInnerGo();
    if (key != nullptr) key_ = KeyReference(key);
    key = key_.get();
  }
  if (inner_ == nullptr && !MakeInner()) return 0;
  return Get<ContextInitFn>(id)(inner_, key == nullptr ? nullptr : key->inner(), params);
}

int SignatureContext::InitMessage(bool verifies, const char* digest_name, ProviderKey* key, const OSSL_PARAM params[]) {
  if (key == nullptr) {
    if (setup_ != nullptr && IsEmpty(params) && setup_->verifies == verifies &&
        (digest_name == nullptr || setup_->IsFor(algorithm_, verifies, digest_name))) {
      if (state_ == State::kInMessage) state_ = State::kSpent;
      return 1;
    }
    if (setup_ != nullptr && !PrepareToChange()) return 0;
    if (inner_ == nullptr && !MakeInner()) return 0;
    return CallInitMessage(verifies, digest_name, nullptr, params);
  }
  LetInnerGo();
  key_ = KeyReference(key);
  MessageContexts& contexts = key->message_contexts();
  inner_epoch_ = CacheEpoch();
  if (IsEmpty(params)) setup_ = contexts.Find(algorithm_, verifies, digest_name, &inner_);
  if (setup_ != nullptr) {
    state_ = State::kSpent;
    return 1;
  }
  if (!MakeInner()) return 0;
  const int result = CallInitMessage(verifies, digest_name, key->inner(), params);
  state_ = State::kFresh;
  if (result > 0 && IsEmpty(params)) setup_ = contexts.Add(algorithm_, verifies, digest_name);
  return result;
}

bool SignatureContext::Prepare() {
  if (setup_ == nullptr) return inner_ != nullptr;
  if (inner_ != nullptr) {
    if (state_ != State::kSpent) return true;
    ERR_set_mark();
    const int result = CallInitMessage(setup_->verifies, setup_->digest_name(), nullptr, nullptr);
    ERR_pop_to_mark();
    if (result > 0) {
      state_ = State::kFresh;
      return true;
    }
    FreeInner();
  }
  if (!MakeInner()) return false;
  if (CallInitMessage(setup_->verifies, setup_->digest_name(), key_.inner(), nullptr) > 0) {
    state_ = State::kFresh;
    return true;
  }
  FreeInner();
  return false;
}

bool SignatureContext::PrepareToChange() {
  if (!Prepare()) return false;
  setup_ = nullptr;
  return true;
}

SignatureContext* SignatureContext::Duplicate() {
  auto duplicate = std::make_unique<SignatureContext>(algorithm_);
  duplicate->key_ = key_;
  if (setup_ != nullptr && (inner_ == nullptr || state_ != State::kInMessage)) {
    duplicate->inner_ = key_->message_contexts().Take(*setup_);
    duplicate->state_ = State::kSpent;
  } else if (inner_ != nullptr) {
    duplicate->inner_epoch_ = inner_epoch_;
    duplicate->inner_ = Get<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX)(inner_);
    if (duplicate->inner_ == nullptr) return nullptr;
    duplicate->state_ = state_;
  }
  duplicate->setup_ = setup_;
  return duplicate.release();
}

}  // namespace openssl_async
