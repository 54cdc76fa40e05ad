// Key derivation.
#include "accelerator/operation_context.h"

namespace openssl_async {

namespace {

struct Ids {
  static constexpr int kNew = OSSL_FUNC_KDF_NEWCTX;
  static constexpr int kFree = OSSL_FUNC_KDF_FREECTX;
  static constexpr int kDuplicate = OSSL_FUNC_KDF_DUPCTX;
  static constexpr int kGet = OSSL_FUNC_KDF_GET_CTX_PARAMS;
  static constexpr int kGettable = OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS;
  static constexpr int kSet = OSSL_FUNC_KDF_SET_CTX_PARAMS;
  static constexpr int kSettable = OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS;
};

// The key schedule of a TLS handshake is some twenty derivations of a microsecond each: a pause costs more.
bool IsKeyScheduleStep(const WrappedAlgorithm& algorithm, size_t size) {
  constexpr size_t kShortBytes = 4096;
  return size <= kShortBytes && (algorithm.Is("TLS13-KDF") || algorithm.Is("TLS1-PRF"));
}

// The cost of these is a parameter: one derivation's time says nothing about the next.
bool HasAdjustableCost(const WrappedAlgorithm& algorithm) {
  for (const char* name : {"PBKDF2", "SCRYPT", "PKCS12KDF", "ARGON2I", "ARGON2D", "ARGON2ID"}) {
    if (algorithm.Is(name)) return true;
  }
  return false;
}

int Derive(void* data, unsigned char* key, size_t key_size, const OSSL_PARAM params[]) {
  const OperationContext* context = OperationContext::From(data);
  const WrappedAlgorithm& algorithm = context->algorithm;
  const auto derive = algorithm.Get<OSSL_FUNC_kdf_derive_fn>(OSSL_FUNC_KDF_DERIVE);
  const auto work = [&] { return derive(context->inner, key, key_size, params); };
  if (IsKeyScheduleStep(algorithm, key_size)) {
    CountInline(OffloadClass::kKdf);
    return work();
  }
  return Offload(OffloadClass::kKdf, HasAdjustableCost(algorithm) ? nullptr : &algorithm.run_time, work);
}

void Reset(void* data) {
  const OperationContext* context = OperationContext::From(data);
  context->algorithm.Get<OSSL_FUNC_kdf_reset_fn>(OSSL_FUNC_KDF_RESET)(context->inner);
}

const OSSL_PARAM* GettableParams(size_t slot, void*) {
  const WrappedAlgorithm* algorithm = ContextSlots<Ids>::slots[slot];
  const auto gettable = algorithm->Get<OSSL_FUNC_kdf_gettable_params_fn>(OSSL_FUNC_KDF_GETTABLE_PARAMS);
  return gettable(DefaultProvider::Get()->context());
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapKdf(size_t slot, const WrappedAlgorithm& algorithm) {
  constexpr int kGetParams = OSSL_FUNC_KDF_GET_PARAMS;
  return WrapContext<Ids>(slot, algorithm,
                          {
                              {OSSL_FUNC_KDF_RESET, ToAnyFunction(Reset)},
                              {OSSL_FUNC_KDF_DERIVE, ToAnyFunction(Derive)},
                              {OSSL_FUNC_KDF_GETTABLE_PARAMS, BindSlot<GettableParams, kMostOthers>(slot)},
                              {kGetParams, algorithm.Get<void()>(kGetParams)},
                          });
}

}  // namespace openssl_async
