// Secrets that two keys agree on.
#include "accelerator/operation_context.h"

namespace openssl_async {

namespace {

struct Ids {
  static constexpr int kNew = OSSL_FUNC_KEYEXCH_NEWCTX;
  static constexpr int kFree = OSSL_FUNC_KEYEXCH_FREECTX;
  static constexpr int kDuplicate = OSSL_FUNC_KEYEXCH_DUPCTX;
  static constexpr int kGet = OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS;
  static constexpr int kGettable = OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS;
  static constexpr int kSet = OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS;
  static constexpr int kSettable = OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS;
};

int SetPeer(void* data, void* key) {
  OperationContext* context = OperationContext::From(data);
  KeyReference peer(static_cast<ProviderKey*>(key));
  const auto set_peer = context->algorithm.Get<OSSL_FUNC_keyexch_set_peer_fn>(OSSL_FUNC_KEYEXCH_SET_PEER);
  const int result = set_peer(context->inner, peer.inner());
  context->other_key = std::move(peer);
  return result;
}

int Derive(void* data, unsigned char* secret, size_t* secret_size, size_t capacity) {
  const OperationContext* context = OperationContext::From(data);
  const auto derive = context->algorithm.Get<OSSL_FUNC_keyexch_derive_fn>(OSSL_FUNC_KEYEXCH_DERIVE);
  const auto work = [&] { return derive(context->inner, secret, secret_size, capacity); };
  if (secret == nullptr) return work();  // asks for the size
  return Offload(OffloadClass::kKeyExchange, context->key.run_time(KeyUse::kDerive), work);
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapKeyExchange(size_t slot, const WrappedAlgorithm& algorithm) {
  constexpr int kInit = OSSL_FUNC_KEYEXCH_INIT;
  return WrapContext<Ids>(slot, algorithm,
                          {
                              {kInit, ToAnyFunction(ContextFunctions<Ids>::Init<kInit>)},
                              {OSSL_FUNC_KEYEXCH_SET_PEER, ToAnyFunction(SetPeer)},
                              {OSSL_FUNC_KEYEXCH_DERIVE, ToAnyFunction(Derive)},
                          });
}

}  // namespace openssl_async
