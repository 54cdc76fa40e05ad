#include "accelerator/provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <string>

#include "accelerator/offload.h"
#include "accelerator/wrapped_algorithm.h"

namespace openssl_async {

namespace {

constexpr char kProperties[] = "provider=accelerator";
constexpr char kDescription[] = "OpenSSL's own, on a pool of threads while the job is paused";

// What the provider offers for one class of operations. As long as the process, and the same wherever it is loaded.
class WrappedOperation {
 public:
  using WrapFn = std::vector<OSSL_DISPATCH>(size_t place, const WrappedAlgorithm& algorithm);

  WrappedOperation(int operation, size_t most, WrapFn* wrap)
      : algorithms_(DefaultProvider::Get()->Query(operation, most)) {
    for (const WrappedAlgorithm& algorithm : algorithms_) {
      functions_.push_back(wrap(functions_.size(), algorithm));
      const OSSL_ALGORITHM& of = algorithm.implementation;
      offered_.push_back({of.algorithm_names, kProperties, functions_.back().data(), kDescription});
    }
    offered_.push_back({nullptr, nullptr, nullptr, nullptr});
  }

  const OSSL_ALGORITHM* offered() const { return offered_.data(); }

 private:
  std::deque<WrappedAlgorithm> algorithms_;
  std::deque<std::vector<OSSL_DISPATCH>> functions_;
  std::vector<OSSL_ALGORITHM> offered_;
};

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  struct Offer {
    WrappedOperation key_management{OSSL_OP_KEYMGMT, kMostKeys, WrapKeyManagement};
    WrappedOperation signature{OSSL_OP_SIGNATURE, kMostSignatures, WrapSignature};
    WrappedOperation asym_cipher{OSSL_OP_ASYM_CIPHER, kMostOthers, WrapAsymCipher};
    WrappedOperation key_exchange{OSSL_OP_KEYEXCH, kMostOthers, WrapKeyExchange};
    WrappedOperation kem{OSSL_OP_KEM, kMostOthers, WrapKem};
    WrappedOperation kdf{OSSL_OP_KDF, kMostOthers, WrapKdf};
  };
  static const auto* const offer = new Offer();
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KEYMGMT:
      return offer->key_management.offered();
    case OSSL_OP_SIGNATURE:
      return offer->signature.offered();
    case OSSL_OP_ASYM_CIPHER:
      return offer->asym_cipher.offered();
    case OSSL_OP_KEYEXCH:
      return offer->key_exchange.offered();
    case OSSL_OP_KEM:
      return offer->kem.offered();
    case OSSL_OP_KDF:
      return offer->kdf.offered();
    default:
      return nullptr;
  }
}

// "signature-offloaded" and so on, in the order of AcceleratorStats.
struct CountParams {
  CountParams() {
    for (size_t i = 0; i < kOffloadClasses; ++i) {
      for (const char* what : {"-offloaded", "-inline", "-refused"}) {
        names.push_back(std::string(OffloadClassName(i)) + what);
      }
    }
    params.push_back(OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0));
    params.push_back(OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, nullptr));
    for (const std::string& name : names) params.push_back(OSSL_PARAM_construct_uint64(name.c_str(), nullptr));
    params.push_back(OSSL_PARAM_construct_end());
  }
  static const CountParams& Get() {
    static const auto* const params = new CountParams();
    return *params;
  }

  std::vector<std::string> names;
  std::vector<OSSL_PARAM> params;
};

const OSSL_PARAM* GettableParams(void*) { return CountParams::Get().params.data(); }

int GetParams(void*, OSSL_PARAM params[]) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  if (param != nullptr && OSSL_PARAM_set_utf8_ptr(param, kAcceleratorName) != 1) return 0;
  param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  if (param != nullptr && OSSL_PARAM_set_int(param, 1) != 1) return 0;
  const AcceleratorStats stats = GetAcceleratorStats();
  auto name = CountParams::Get().names.begin();
  for (const AcceleratorStats::Counts& counts : stats.classes) {
    for (const uint64_t count : {counts.offloaded, counts.inlined, counts.refused}) {
      param = OSSL_PARAM_locate(params, (name++)->c_str());
      if (param != nullptr && OSSL_PARAM_set_uint64(param, count) != 1) return 0;
    }
  }
  return 1;
}

}  // namespace

int AcceleratorProviderInit(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions,
                            void** context) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, ToAnyFunction(GettableParams)},
      {OSSL_FUNC_PROVIDER_GET_PARAMS, ToAnyFunction(GetParams)},
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, ToAnyFunction(Query)},
      {0, nullptr},
  };
  if (DefaultProvider::Get() == nullptr) return 0;
  // Nothing of ours belongs to one provider object, and libcrypto wants something.
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);
  *functions = kFunctions;
  return 1;
}

}  // namespace openssl_async
