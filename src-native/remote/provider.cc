#include "remote/provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <vector>

#include "remote/remote_key.h"
#include "wrapping/offers.h"

namespace openssl_async {

namespace {

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  static const auto* const offers = [] {
    const std::vector<OfferPlan> plans = {
        {OSSL_OP_KEYMGMT,
         RemoteKeyManagement,
         kMostRemote,
         {"RSA", "RSA-PSS", "EC", "ED25519", "ED448", "X25519", "X448"}},
        {OSSL_OP_SIGNATURE, RemoteSignature, kMostRemote, {"RSA", "ECDSA", "ED25519", "ED448"}},
        {OSSL_OP_ASYM_CIPHER, RemoteAsymCipher, kMostRemote, {"RSA"}},
        {OSSL_OP_KEYEXCH, RemoteKeyExchange, kMostRemote, {"ECDH", "X25519", "X448"}},
    };
    return new Offers(kRemoteName, plans);
  }();
  *no_cache = 0;
  return offers->Find(operation);
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
