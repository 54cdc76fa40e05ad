// Hands the operations of other keys to an engine.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "modules/contract.h"
#include "modules/engine.h"
#include "openssl/error_queue.h"

#if !defined(OPENSSL_NO_ENGINE) && __has_include(<openssl/engine.h>)

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/rsa.h>

namespace openssl_async {

namespace {

static_assert(static_cast<unsigned>(EngineMethod::kRSA) == ENGINE_METHOD_RSA);
static_assert(static_cast<unsigned>(EngineMethod::kEC) == ENGINE_METHOD_EC);
static_assert(static_cast<unsigned>(EngineMethod::kPKEY) == ENGINE_METHOD_PKEY_METHS);

using RsaPointer = DeleteFnPtr<RSA, RSA_free>;
using EcKeyPointer = DeleteFnPtr<EC_KEY, EC_KEY_free>;

BignumPointer Copy(const BIGNUM* number) { return BignumPointer(number == nullptr ? nullptr : BN_dup(number)); }

// The key is made with the engine rather than given its functions later: these may ask the key for its engine.
RsaPointer WithMethods(const RSA* source, ENGINE* engine) {
  RsaPointer rsa(source == nullptr ? nullptr : RSA_new_method(engine));
  if (!rsa) return nullptr;
  const BIGNUM *n = nullptr, *e = nullptr, *d = nullptr, *p = nullptr, *q = nullptr;
  const BIGNUM *dmp1 = nullptr, *dmq1 = nullptr, *iqmp = nullptr;
  RSA_get0_key(source, &n, &e, &d);
  RSA_get0_factors(source, &p, &q);
  RSA_get0_crt_params(source, &dmp1, &dmq1, &iqmp);
  BignumPointer key[] = {Copy(n), Copy(e), Copy(d)};
  BignumPointer factors[] = {Copy(p), Copy(q)};
  BignumPointer crt[] = {Copy(dmp1), Copy(dmq1), Copy(iqmp)};
  // These functions take all of their arguments, or none.
  if (RSA_set0_key(rsa.get(), key[0].get(), key[1].get(), key[2].get()) != 1) return nullptr;
  for (BignumPointer& taken : key) static_cast<void>(taken.release());
  if (RSA_set0_factors(rsa.get(), factors[0].get(), factors[1].get()) == 1) {
    for (BignumPointer& taken : factors) static_cast<void>(taken.release());
  }
  if (RSA_set0_crt_params(rsa.get(), crt[0].get(), crt[1].get(), crt[2].get()) == 1) {
    for (BignumPointer& taken : crt) static_cast<void>(taken.release());
  }
  return rsa;
}

EcKeyPointer WithMethods(const EC_KEY* source, ENGINE* engine) {
  EcKeyPointer key(source == nullptr ? nullptr : EC_KEY_new_method(engine));
  if (!key || EC_KEY_set_group(key.get(), EC_KEY_get0_group(source)) != 1 ||
      EC_KEY_set_private_key(key.get(), EC_KEY_get0_private_key(source)) != 1 ||
      EC_KEY_set_public_key(key.get(), EC_KEY_get0_public_key(source)) != 1) {
    return nullptr;
  }
  return key;
}

}  // namespace

Result<EvpPkeyPointer> Engine::Bind(EvpPkeyPointer key, unsigned methods) const {
  const ErrorQueueScope errors;
  ENGINE* engine = engine_.get();
  const int type = EVP_PKEY_get_base_id(key.get());
  EvpPkeyPointer bound;
  if (type == EVP_PKEY_RSA && (methods & ENGINE_METHOD_RSA) != 0 && ENGINE_get_RSA(engine) != nullptr) {
    const RsaPointer rsa = WithMethods(EVP_PKEY_get0_RSA(key.get()), engine);
    bound.reset(EVP_PKEY_new());
    if (!rsa || !bound || EVP_PKEY_set1_RSA(bound.get(), rsa.get()) != 1) return Failure("does not take this RSA key");
  } else if (type == EVP_PKEY_EC && (methods & ENGINE_METHOD_EC) != 0 && ENGINE_get_EC(engine) != nullptr) {
    const EcKeyPointer ec = WithMethods(EVP_PKEY_get0_EC_KEY(key.get()), engine);
    bound.reset(EVP_PKEY_new());
    if (!ec || !bound || EVP_PKEY_set1_EC_KEY(bound.get(), ec.get()) != 1) return Failure("does not take this EC key");
  }
  // Functions of a higher level, for any type of key. They may use the lower functions, set before.
  if ((methods & ENGINE_METHOD_PKEY_METHS) != 0 && ENGINE_get_pkey_meths(engine) != nullptr &&
      ENGINE_get_pkey_meth(engine, type) != nullptr) {
    if (!bound) bound = std::move(key);
    if (EVP_PKEY_set1_engine(bound.get(), engine) != 1) return Failure("does not take this key");
  }
  if (!bound) return Failure("has nothing for keys of this type, or may not be used for them");
  return bound;
}

}  // namespace openssl_async

#endif
