#include "operations/key_generation.h"

#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <cctype>

#include "openssl/error_queue.h"
#include "operations/digests.h"
#include "operations/encoded_key.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

using Name = KeyGenerationName;
using Number = KeyGenerationNumber;

using ParamBuilderPointer = DeleteFnPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPointer = DeleteFnPtr<OSSL_PARAM, OSSL_PARAM_free>;

Error UnknownType() { return Error{"ERR_INVALID_ARG_VALUE", "This OpenSSL has no keys of this type", {}}; }

// Makes contexts that are ready to generate.
class KeyGenerator {
 public:
  explicit KeyGenerator(SpecRequest request) : request_(std::move(request)) {}
  virtual ~KeyGenerator() = default;
  KeyGenerator(const KeyGenerator&) = delete;
  KeyGenerator& operator=(const KeyGenerator&) = delete;

  EvpPkeyPointer Generate() const {
    const EvpPkeyCtxPointer context = Prepare();
    if (!context) return nullptr;
    // Tells a provider that keeps private keys to itself to give this one away. Other providers ignore the parameter.
    int exportable = 1;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_int("accelerator-exportable", &exportable),
                                 OSSL_PARAM_construct_end()};
    if (request_.scope.may_pause) EVP_PKEY_CTX_set_params(context.get(), params);
    EVP_PKEY* pkey = nullptr;
    if (EVP_PKEY_generate(context.get(), &pkey) <= 0) return nullptr;
    return EvpPkeyPointer(pkey);
  }

  const OSSL_PROVIDER* Provider() const { return ProviderOf(KeyGenerator::Prepare()); }

 protected:
  // Null, with the reason on the error queue, when OpenSSL refuses the parameters.
  virtual EvpPkeyCtxPointer Prepare() const {
    EvpPkeyCtxPointer context = NewContext();
    return context && EVP_PKEY_keygen_init(context.get()) > 0 ? std::move(context) : nullptr;
  }

  EvpPkeyCtxPointer NewContext() const {
    return EvpPkeyCtxPointer(EVP_PKEY_CTX_new_from_name(request_.scope.library_context,
                                                        request_.names[Name::kType].c_str(), request_.scope.query()));
  }
  // A context that generates keys with these parameters.
  EvpPkeyCtxPointer NewContextFor(EVP_PKEY* parameters) const {
    EvpPkeyCtxPointer context(
        EVP_PKEY_CTX_new_from_pkey(request_.scope.library_context, parameters, request_.scope.query()));
    return context && EVP_PKEY_keygen_init(context.get()) > 0 ? std::move(context) : nullptr;
  }
  bool has(size_t number) const { return request_.has(number); }
  // Sizes as OpenSSL's functions take them: a size beyond int becomes negative, and is refused.
  int integer(size_t number) const { return static_cast<int>(static_cast<int64_t>(request_.numbers[number])); }
  const SpecRequest& request() const { return request_; }

 private:
  const SpecRequest request_;
};

class RsaGenerator : public KeyGenerator {
 public:
  RsaGenerator(SpecRequest request, EvpMdPointer digest, EvpMdPointer mgf1_digest)
      : KeyGenerator(std::move(request)), digest_(std::move(digest)), mgf1_digest_(std::move(mgf1_digest)) {}

 protected:
  EvpPkeyCtxPointer Prepare() const override {
    EvpPkeyCtxPointer context = KeyGenerator::Prepare();
    if (!context || EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), integer(Number::kBits)) <= 0) return nullptr;
    const BignumPointer exponent(BN_new());
    if (!exponent ||
        BN_set_word(exponent.get(), static_cast<BN_ULONG>(request().numbers[Number::kPublicExponent])) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) <= 0) {
      return nullptr;
    }
    return SetPssParameters(context.get()) ? std::move(context) : nullptr;
  }

 private:
  // As node:crypto: by default MGF1 has the same digest, and the salt is as long as the digest's output.
  bool SetPssParameters(EVP_PKEY_CTX* context) const {
    const EVP_MD* mgf1_digest = mgf1_digest_ ? mgf1_digest_.get() : digest_.get();
    if (digest_ && EVP_PKEY_CTX_set_rsa_pss_keygen_md(context, digest_.get()) <= 0) return false;
    if (mgf1_digest != nullptr && EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context, mgf1_digest) <= 0) return false;
    if (!has(Number::kSaltLength) && !digest_) return true;
    const int salt_length = has(Number::kSaltLength) ? integer(Number::kSaltLength) : EVP_MD_get_size(digest_.get());
    return EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context, salt_length) > 0;
  }

  const EvpMdPointer digest_;
  const EvpMdPointer mgf1_digest_;
};

class EcGenerator : public KeyGenerator {
 public:
  using KeyGenerator::KeyGenerator;

 protected:
  EvpPkeyCtxPointer Prepare() const override {
    EvpPkeyCtxPointer context = KeyGenerator::Prepare();
    const int encoding = has(Number::kExplicitParameters) ? OPENSSL_EC_EXPLICIT_CURVE : OPENSSL_EC_NAMED_CURVE;
    if (!context || EVP_PKEY_CTX_set_group_name(context.get(), request().names[Name::kGroup].c_str()) <= 0 ||
        EVP_PKEY_CTX_set_ec_param_enc(context.get(), encoding) <= 0) {
      return nullptr;
    }
    return context;
  }
};

class DsaGenerator : public KeyGenerator {
 public:
  using KeyGenerator::KeyGenerator;

 protected:
  EvpPkeyCtxPointer Prepare() const override {
    const EvpPkeyCtxPointer context = NewContext();
    EVP_PKEY* parameters = nullptr;
    if (!context || EVP_PKEY_paramgen_init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_dsa_paramgen_bits(context.get(), integer(Number::kBits)) <= 0 ||
        (has(Number::kDivisorBits) &&
         EVP_PKEY_CTX_set_dsa_paramgen_q_bits(context.get(), integer(Number::kDivisorBits)) <= 0) ||
        EVP_PKEY_generate(context.get(), &parameters) <= 0) {
      return nullptr;
    }
    return NewContextFor(EvpPkeyPointer(parameters).get());
  }
};

// Uses a given prime, or searches for one, which takes long.
class DhGenerator : public KeyGenerator {
 public:
  DhGenerator(SpecRequest request, BignumPointer prime) : KeyGenerator(std::move(request)), prime_(std::move(prime)) {}

 protected:
  EvpPkeyCtxPointer Prepare() const override {
    const EvpPkeyPointer parameters = prime_ ? GivenParameters() : NewParameters();
    return parameters ? NewContextFor(parameters.get()) : nullptr;
  }

 private:
  EvpPkeyPointer NewParameters() const {
    const EvpPkeyCtxPointer context = NewContext();
    EVP_PKEY* parameters = nullptr;
    if (!context || EVP_PKEY_paramgen_init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_dh_paramgen_prime_len(context.get(), integer(Number::kBits)) <= 0 ||
        EVP_PKEY_CTX_set_dh_paramgen_generator(context.get(), integer(Number::kGenerator)) <= 0 ||
        EVP_PKEY_generate(context.get(), &parameters) <= 0) {
      return nullptr;
    }
    return EvpPkeyPointer(parameters);
  }

  EvpPkeyPointer GivenParameters() const {
    const ParamBuilderPointer builder(OSSL_PARAM_BLD_new());
    const BignumPointer generator(BN_new());
    if (!builder || !generator ||
        BN_set_word(generator.get(), static_cast<BN_ULONG>(request().numbers[Number::kGenerator])) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_P, prime_.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_FFC_G, generator.get()) != 1) {
      return nullptr;
    }
    const ParamsPointer params(OSSL_PARAM_BLD_to_param(builder.get()));
    const EvpPkeyCtxPointer context = NewContext();
    EVP_PKEY* parameters = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &parameters, EVP_PKEY_KEY_PARAMETERS, params.get()) <= 0) {
      return nullptr;
    }
    return EvpPkeyPointer(parameters);
  }

  const BignumPointer prime_;  // null to search for one
};

class KeyGenerationSpec : public OperationSpec {
 public:
  KeyGenerationSpec(std::unique_ptr<KeyGenerator> generator, EvpCipherPointer cipher, bool own_structure)
      : generator_(std::move(generator)), cipher_(std::move(cipher)), own_structure_(own_structure) {}

  bool Run(Operation& operation) override {
    const EvpPkeyPointer pkey = generator_->Generate();
    if (!pkey) return false;
    const bool is_written =
        WritePublicKey(pkey.get(), operation, 0) &&
        (own_structure_ ? WriteOwnPrivateKey(pkey.get(), operation, 1)
                        : WritePrivateKey(pkey.get(), cipher_.get(), operation.input(0), operation, 1));
    if (is_written) return true;
    if (ERR_peek_error() != 0) return false;
    return operation.Fail("ERR_CRYPTO_OPERATION_FAILED", "The key has no encoding, or its provider does not export it");
  }
  const OSSL_PROVIDER* Provider() override { return generator_->Provider(); }

 private:
  const std::unique_ptr<KeyGenerator> generator_;
  const EvpCipherPointer cipher_;  // null: the private key is not encrypted
  const bool own_structure_;
};

// --- Generators by name

using GeneratorResult = Result<std::unique_ptr<KeyGenerator>>;

template <typename Generator, typename... Arguments>
GeneratorResult Make(Arguments&&... arguments) {
  return std::unique_ptr<KeyGenerator>(std::make_unique<Generator>(std::forward<Arguments>(arguments)...));
}

GeneratorResult MakeRsaGenerator(SpecRequest request) {
  EvpMdPointer digests[2];
  for (const size_t index : {Name::kDigest, Name::kMgf1Digest}) {
    const std::string& name = request.names[index];
    EvpMdPointer& digest = digests[index - Name::kDigest];
    if (!name.empty() && !(digest = FetchHelperDigest(name, request.scope))) return DigestError(name);
  }
  return Make<RsaGenerator>(std::move(request), std::move(digests[0]), std::move(digests[1]));
}

GeneratorResult MakeEcGenerator(SpecRequest request) {
  std::string& name = request.names[Name::kGroup];
  int nid = EC_curve_nist2nid(name.c_str());
  if (nid == NID_undef) nid = OBJ_sn2nid(name.c_str());
  if (nid == NID_undef) return Error{"ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name", {}};
  name = OBJ_nid2sn(nid);
  if (nid == NID_ED25519 || nid == NID_ED448 || nid == NID_X25519 || nid == NID_X448) {
    request.names[Name::kType] = name;
    return Make<KeyGenerator>(std::move(request));
  }
  EC_GROUP* group = EC_GROUP_new_by_curve_name(nid);
  EC_GROUP_free(group);
  if (group == nullptr) return Error{"ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name", {}};
  return Make<EcGenerator>(std::move(request));
}

// The prime of a group by its name (RFC 2409, RFC 3526); null for any other name.
BignumPointer PrimeOfGroup(const std::string& name) {
  static constexpr struct {
    const char* name;
    BIGNUM* (*prime)(BIGNUM* result);
  } kGroups[] = {
      {"modp1", BN_get_rfc2409_prime_768},   {"modp2", BN_get_rfc2409_prime_1024},
      {"modp5", BN_get_rfc3526_prime_1536},  {"modp14", BN_get_rfc3526_prime_2048},
      {"modp15", BN_get_rfc3526_prime_3072}, {"modp16", BN_get_rfc3526_prime_4096},
      {"modp17", BN_get_rfc3526_prime_6144}, {"modp18", BN_get_rfc3526_prime_8192},
  };
  std::string lower = name;
  for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (const auto& group : kGroups) {
    if (lower == group.name) return BignumPointer(group.prime(nullptr));
  }
  return nullptr;
}

GeneratorResult MakeDhGenerator(SpecRequest request) {
  BignumPointer prime;
  if (const std::string& group = request.names[Name::kGroup]; !group.empty()) {
    prime = PrimeOfGroup(group);
    if (!prime) return Error{"ERR_CRYPTO_UNKNOWN_DH_GROUP", "Unknown DH group", {}};
  } else if (!request.bytes.empty()) {
    const ByteView bytes = request.bytes[0].view();
    prime.reset(BN_bin2bn(bytes.data, static_cast<int>(bytes.size), nullptr));
    if (!prime) return Error{"ERR_MEMORY_ALLOCATION_FAILED", "There is not enough memory", {}};
  }
  return Make<DhGenerator>(std::move(request), std::move(prime));
}

GeneratorResult MakeGenerator(SpecRequest request) {
  const std::string& type = request.names[Name::kType];
  if (type == "RSA" || type == "RSA-PSS") return MakeRsaGenerator(std::move(request));
  if (type == "EC") return MakeEcGenerator(std::move(request));
  if (type == "DSA") return Make<DsaGenerator>(std::move(request));
  if (type == "DH") return MakeDhGenerator(std::move(request));
  return Make<KeyGenerator>(std::move(request));
}

}  // namespace

SpecResult CreateKeyGenerationSpec(SpecRequest request) {
  const ErrorQueueScope errors;
  const ProviderScope& scope = request.scope;
  const EvpPkeyCtxPointer known(
      EVP_PKEY_CTX_new_from_name(scope.library_context, request.names[Name::kType].c_str(), scope.query()));
  if (!known) return UnknownType();
  EvpCipherPointer cipher;
  if (const std::string& name = request.names[Name::kCipher]; !name.empty()) {
    const EVP_CIPHER* legacy = EVP_get_cipherbyname(name.c_str());
    if (legacy == nullptr) return Error{"ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher", {}};
    cipher.reset(EVP_CIPHER_fetch(scope.library_context, EVP_CIPHER_get0_name(legacy), scope.query()));
    if (!cipher) return Error{"", "The cipher is not available", ErrorQueue::Take().Lines()};
  }
  const bool own_structure = request.has(Number::kOwnStructure);
  GeneratorResult generator = MakeGenerator(std::move(request));
  if (!generator.ok()) return generator.error();
  return std::shared_ptr<OperationSpec>(
      std::make_shared<KeyGenerationSpec>(std::move(generator.value()), std::move(cipher), own_structure));
}

}  // namespace openssl_async
