#include "accelerator/provider.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <string>
#include <vector>

#include "accelerator/algorithms.h"
#include "pool/offload.h"
#include "wrapping/offers.h"

namespace openssl_async {

namespace {

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) {
  static const auto* const offers = [] {
    // Keys of these algorithms are secrets for MACs and key derivation. Work with them is short, and only TLS and old
    // programs use keys for it, so they are not wrapped. The key derivation functions of the same names are.
    const std::vector<const char*> symmetric = {"HMAC", "SIPHASH", "POLY1305", "CMAC", "TLS1-PRF", "HKDF", "SCRYPT"};
    const std::vector<OfferPlan> plans = {
        {OSSL_OP_KEYMGMT, WrapKeyManagement, kMostKeys, {}, symmetric},
        {OSSL_OP_SIGNATURE, WrapSignature, kMostSignatures, {}, symmetric},
        {OSSL_OP_ASYM_CIPHER, WrapAsymCipher, kMostOthers, {}, symmetric},
        {OSSL_OP_KEYEXCH, WrapKeyExchange, kMostOthers, {}, symmetric},
        {OSSL_OP_KEM, WrapKem, kMostOthers, {}, symmetric},
        {OSSL_OP_KDF, WrapKdf, kMostOthers},
        // Offered so that the default provider need not be loaded beside this one: libcrypto would decode all keys into
        // it. Encoders and decoders come from the provider `base`, which has no keys; the default provider's would take
        // our keys for their own.
        {OSSL_OP_DIGEST},
        {OSSL_OP_CIPHER},
        {OSSL_OP_MAC},
        {OSSL_OP_RAND},
    };
    return new Offers(kAcceleratorName, plans);
  }();
  *no_cache = 0;
  return offers->Find(operation);
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
