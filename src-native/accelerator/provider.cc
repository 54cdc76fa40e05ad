#include "accelerator/provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <string>

#include "pool/offload.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

namespace {

// Keys of these algorithms are secrets for MACs and key derivation. Work with them is short, and only TLS and old
// programs use keys for it, so they are not wrapped. The key derivation functions of the same names are.
constexpr const char* kSymmetricKeys[] = {"HMAC", "SIPHASH", "POLY1305", "CMAC", "TLS1-PRF", "HKDF", "SCRYPT"};

bool IsSymmetric(const WrappedAlgorithm& algorithm) {
  return std::any_of(std::begin(kSymmetricKeys), std::end(kSymmetricKeys),
                     [&](const char* name) { return algorithm.Is(name); });
}

// The algorithms that the provider offers for one class of operations. Lives as long as the process, and is the same
// wherever the provider is loaded.
class Offer {
 public:
  using WrapFn = std::vector<OSSL_DISPATCH>(size_t slot, const WrappedAlgorithm& algorithm);

  // Offers the default provider's algorithms as they are. They work with its context, which is ours too.
  explicit Offer(int operation) {
    for (const OSSL_ALGORITHM& algorithm : AlgorithmsOf(operation)) Add(algorithm, algorithm.implementation);
    End();
  }

  // Offers wrapped algorithms, as many as there are slots.
  Offer(int operation, size_t slots, WrapFn* wrap) {
    for (const OSSL_ALGORITHM& algorithm : AlgorithmsOf(operation)) {
      const WrappedAlgorithm& wrapped = algorithms_.emplace_back(algorithm);
      if (operation != OSSL_OP_KDF && IsSymmetric(wrapped)) {
        Add(algorithm, algorithm.implementation);
      } else if (functions_.size() < slots) {
        functions_.push_back(wrap(functions_.size(), wrapped));
        Add(algorithm, functions_.back().data());
      }
    }
    End();
  }

  const OSSL_ALGORITHM* offered() const { return offered_.data(); }

 private:
  static std::vector<OSSL_ALGORITHM> AlgorithmsOf(int operation) {
    std::vector<OSSL_ALGORITHM> found;
    const OSSL_ALGORITHM* algorithm = DefaultProvider::Get()->Query(operation);
    for (; algorithm != nullptr && algorithm->algorithm_names != nullptr; ++algorithm) found.push_back(*algorithm);
    return found;
  }
  void Add(const OSSL_ALGORITHM& algorithm, const OSSL_DISPATCH* functions) {
    offered_.push_back({algorithm.algorithm_names, PropertiesAs(kAcceleratorName, algorithm), functions,
                        algorithm.algorithm_description});
  }
  void End() { offered_.push_back({nullptr, nullptr, nullptr, nullptr}); }

  std::deque<WrappedAlgorithm> algorithms_;  // never moved: functions point to them
  std::deque<std::vector<OSSL_DISPATCH>> functions_;
  std::vector<OSSL_ALGORITHM> offered_;
};

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  // Digests and the like are offered so that the default provider need not be loaded beside this one: libcrypto would
  // decode all keys into it. Encoders and decoders come from the provider `base`, which has no keys; the default
  // provider's would take our keys for their own.
  static const auto* const offers = new std::map<int, Offer>([] {
    std::map<int, Offer> made;
    made.try_emplace(OSSL_OP_KEYMGMT, OSSL_OP_KEYMGMT, kMostKeys, WrapKeyManagement);
    made.try_emplace(OSSL_OP_SIGNATURE, OSSL_OP_SIGNATURE, kMostSignatures, WrapSignature);
    made.try_emplace(OSSL_OP_ASYM_CIPHER, OSSL_OP_ASYM_CIPHER, kMostOthers, WrapAsymCipher);
    made.try_emplace(OSSL_OP_KEYEXCH, OSSL_OP_KEYEXCH, kMostOthers, WrapKeyExchange);
    made.try_emplace(OSSL_OP_KEM, OSSL_OP_KEM, kMostOthers, WrapKem);
    made.try_emplace(OSSL_OP_KDF, OSSL_OP_KDF, kMostOthers, WrapKdf);
    for (const int operation : {OSSL_OP_DIGEST, OSSL_OP_CIPHER, OSSL_OP_MAC, OSSL_OP_RAND}) {
      made.try_emplace(operation, operation);
    }
    return made;
  }());
  *no_cache = 0;
  const auto offer = offers->find(operation);
  return offer == offers->end() ? nullptr : offer->second.offered();
}

// libssl uses a group for key exchange only if the provider that announces it has the keys too.
int GetCapabilities(void*, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(DefaultProvider::Get()->provider(), capability, callback, argument);
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

int AcceleratorProviderInit(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions,
                            void** context) {
  static const OSSL_DISPATCH dispatch[] = {
      {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, ToAnyFunction(GettableParams)},
      {OSSL_FUNC_PROVIDER_GET_PARAMS, ToAnyFunction(GetParams)},
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, ToAnyFunction(Query)},
      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, ToAnyFunction(GetCapabilities)},
      {0, nullptr},
  };
  const DefaultProvider* inner = DefaultProvider::Get();
  if (inner == nullptr) return 0;
  // Algorithms that are offered as they are expect the default provider's context.
  *context = inner->context();
  *functions = dispatch;
  return 1;
}

}  // namespace openssl_async
