// Key encapsulation: secrets for the owner of a key.
#include "accelerator/operation_context.h"
#include "wrapping/newer_functions.h"

namespace openssl_async {

namespace {

struct Ids {
  static constexpr int kNew = OSSL_FUNC_KEM_NEWCTX;
  static constexpr int kFree = OSSL_FUNC_KEM_FREECTX;
  static constexpr int kDuplicate = OSSL_FUNC_KEM_DUPCTX;
  static constexpr int kGet = OSSL_FUNC_KEM_GET_CTX_PARAMS;
  static constexpr int kGettable = OSSL_FUNC_KEM_GETTABLE_CTX_PARAMS;
  static constexpr int kSet = OSSL_FUNC_KEM_SET_CTX_PARAMS;
  static constexpr int kSettable = OSSL_FUNC_KEM_SETTABLE_CTX_PARAMS;
};

// Uses the sender's key too, which authenticates the sender.
template <int kId>
int AuthInit(void* data, void* key, void* other_key, const OSSL_PARAM params[]) {
  OperationContext* context = OperationContext::From(data);
  KeyReference given(static_cast<ProviderKey*>(key));
  KeyReference other(static_cast<ProviderKey*>(other_key));
  const auto init = context->algorithm.Get<KemAuthInitFn>(kId);
  const int result = init(context->inner, given.inner(), other.inner(), params);
  context->key = std::move(given);
  context->other_key = std::move(other);
  return result;
}

int Encapsulate(void* data, unsigned char* out, size_t* out_size, unsigned char* secret, size_t* secret_size) {
  const OperationContext* context = OperationContext::From(data);
  const auto encapsulate = context->algorithm.Get<OSSL_FUNC_kem_encapsulate_fn>(OSSL_FUNC_KEM_ENCAPSULATE);
  const auto work = [&] { return encapsulate(context->inner, out, out_size, secret, secret_size); };
  if (out == nullptr) return work();  // asks for the sizes
  return Offload(OffloadClass::kKem, context->key.run_time(KeyUse::kEncapsulate), work);
}

int Decapsulate(void* data, unsigned char* secret, size_t* secret_size, const unsigned char* in, size_t in_size) {
  const OperationContext* context = OperationContext::From(data);
  const auto decapsulate = context->algorithm.Get<OSSL_FUNC_kem_decapsulate_fn>(OSSL_FUNC_KEM_DECAPSULATE);
  const auto work = [&] { return decapsulate(context->inner, secret, secret_size, in, in_size); };
  if (secret == nullptr) return work();  // asks for the size
  return Offload(OffloadClass::kKem, context->key.run_time(KeyUse::kDecapsulate), work);
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapKem(size_t slot, const WrappedAlgorithm& algorithm) {
  using Functions = ContextFunctions<Ids>;
  constexpr int kEncapsulateInit = OSSL_FUNC_KEM_ENCAPSULATE_INIT;
  constexpr int kDecapsulateInit = OSSL_FUNC_KEM_DECAPSULATE_INIT;
  return WrapContext<Ids>(slot, algorithm,
                          {
                              {kEncapsulateInit, ToAnyFunction(Functions::Init<kEncapsulateInit>)},
                              {OSSL_FUNC_KEM_ENCAPSULATE, ToAnyFunction(Encapsulate)},
                              {kDecapsulateInit, ToAnyFunction(Functions::Init<kDecapsulateInit>)},
                              {OSSL_FUNC_KEM_DECAPSULATE, ToAnyFunction(Decapsulate)},
                              {kKemAuthEncapsulateInit, ToAnyFunction(AuthInit<kKemAuthEncapsulateInit>)},
                              {kKemAuthDecapsulateInit, ToAnyFunction(AuthInit<kKemAuthDecapsulateInit>)},
                          });
}

}  // namespace openssl_async
