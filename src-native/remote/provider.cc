#include "remote/provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "remote/remote_key.h"

namespace openssl_async {

namespace {

// The algorithms that the provider offers for one class of operations. Lives as long as the process.
class Offer {
 public:
  using WrapFn = std::vector<OSSL_DISPATCH>(size_t slot, const WrappedAlgorithm& algorithm);

  Offer(int operation, std::initializer_list<const char*> names, WrapFn* wrap) {
    const OSSL_ALGORITHM* found = DefaultProvider::Get()->Query(operation);
    for (; found != nullptr && found->algorithm_names != nullptr; ++found) {
      const WrappedAlgorithm algorithm(*found);
      if (std::none_of(names.begin(), names.end(), [&](const char* name) { return algorithm.Is(name); })) continue;
      const WrappedAlgorithm& wrapped = algorithms_.emplace_back(*found);
      functions_.push_back(wrap(functions_.size(), wrapped));
      offered_.push_back({found->algorithm_names, PropertiesAs(kRemoteName, *found), functions_.back().data(),
                          found->algorithm_description});
    }
    offered_.push_back({nullptr, nullptr, nullptr, nullptr});
  }

  const OSSL_ALGORITHM* offered() const { return offered_.data(); }

 private:
  std::deque<WrappedAlgorithm> algorithms_;  // never moved: functions point to them
  std::deque<std::vector<OSSL_DISPATCH>> functions_;
  std::vector<OSSL_ALGORITHM> offered_;
};

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  static const auto* const offers = new std::map<int, Offer>([] {
    std::map<int, Offer> made;
    const auto add = [&](int offered, std::initializer_list<const char*> names, Offer::WrapFn* wrap) {
      made.try_emplace(offered, offered, names, wrap);
    };
    add(OSSL_OP_KEYMGMT, {"RSA", "RSA-PSS", "EC", "ED25519", "ED448", "X25519", "X448"}, RemoteKeyManagement);
    add(OSSL_OP_SIGNATURE, {"RSA", "ECDSA", "ED25519", "ED448"}, RemoteSignature);
    add(OSSL_OP_ASYM_CIPHER, {"RSA"}, RemoteAsymCipher);
    add(OSSL_OP_KEYEXCH, {"ECDH", "X25519", "X448"}, RemoteKeyExchange);
    return made;
  }());
  *no_cache = 0;
  const auto offer = offers->find(operation);
  return offer == offers->end() ? nullptr : offer->second.offered();
}

const OSSL_PARAM* GettableParams(void*) {
  static const OSSL_PARAM params[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                      OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr), OSSL_PARAM_END};
  return params;
}

int GetParams(void*, OSSL_PARAM params[]) {
  OSSL_PARAM* param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
  if (param != nullptr && OSSL_PARAM_set_utf8_ptr(param, kRemoteName) != 1) return 0;
  param = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return param == nullptr || OSSL_PARAM_set_int(param, 1) == 1 ? 1 : 0;
}

}  // namespace

int RemoteProviderInit(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions, void** context) {
  static const OSSL_DISPATCH dispatch[] = {
      {OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, ToAnyFunction(GettableParams)},
      {OSSL_FUNC_PROVIDER_GET_PARAMS, ToAnyFunction(GetParams)},
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, ToAnyFunction(Query)},
      {0, nullptr},
  };
  const DefaultProvider* inner = DefaultProvider::Get();
  if (inner == nullptr) return 0;
  *context = inner->context();
  *functions = dispatch;
  return 1;
}

}  // namespace openssl_async
