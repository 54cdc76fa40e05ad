// Keys, encryption, exchange and encapsulation by the accelerator, against the default provider.
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "accelerator/provider.h"
#include "accelerator_keys.h"

namespace openssl_async::testing {

namespace {

struct KeyKind {
  const char* type;
  const char* option;
};

constexpr KeyKind kKinds[] = {
    {"RSA", "1024"},
    {"RSA-PSS", "1024"},
    {"EC", "P-256"},
    {"EC", "P-521"},
    {"ED25519", ""},
    {"ED448", ""},
    {"X25519", ""},
    {"X448", ""},
    {"DH", "ffdhe2048"},
    {"SM2", ""},
    {"ML-KEM-512", ""},
    {"ML-KEM-768", ""},
    {"ML-KEM-1024", ""},
    {"ML-DSA-44", ""},
    {"ML-DSA-65", ""},
    {"ML-DSA-87", ""},
    {"SLH-DSA-SHA2-128f", ""},
    {"SLH-DSA-SHAKE-128f", ""},
};

void ForEachKind(const std::function<void(const KeyKind&)>& body) {
  for (const KeyKind& kind : kKinds) {
    if (!Has(kind.type)) continue;
    CAPTURE(std::string(kind.type));
    WithJobs([&] { body(kind); });
  }
}

bool IsPublicOnly(EVP_PKEY* key) { return PrivateDer(key).empty(); }

EvpPkeyCtxPointer NewContext(OSSL_LIB_CTX* library, EVP_PKEY* key) {
  return EvpPkeyCtxPointer(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
}

Bytes Derive(OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY* peer) {
  const EvpPkeyCtxPointer context = NewContext(library, key);
  size_t size = 0;
  if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return {};
  }
  Bytes secret(size);
  if (EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) return {};
  secret.resize(size);
  return secret;
}

struct Encapsulated {
  Bytes wrapped;
  Bytes secret;
};

Encapsulated Encapsulate(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* operation) {
  const EvpPkeyCtxPointer context = NewContext(library, key);
  Encapsulated made;
  size_t wrapped = 0;
  size_t secret = 0;
  if (EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
      (operation != nullptr && EVP_PKEY_CTX_set_kem_op(context.get(), operation) != 1) ||
      EVP_PKEY_encapsulate(context.get(), nullptr, &wrapped, nullptr, &secret) != 1) {
    return made;
  }
  made.wrapped.resize(wrapped);
  made.secret.resize(secret);
  if (EVP_PKEY_encapsulate(context.get(), made.wrapped.data(), &wrapped, made.secret.data(), &secret) != 1) return {};
  return made;
}

Bytes Decapsulate(OSSL_LIB_CTX* library, EVP_PKEY* key, const char* operation, const Bytes& wrapped) {
  const EvpPkeyCtxPointer context = NewContext(library, key);
  size_t size = 0;
  if (EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      (operation != nullptr && EVP_PKEY_CTX_set_kem_op(context.get(), operation) != 1) ||
      EVP_PKEY_decapsulate(context.get(), nullptr, &size, wrapped.data(), wrapped.size()) != 1) {
    return {};
  }
  Bytes secret(size);
  if (EVP_PKEY_decapsulate(context.get(), secret.data(), &size, wrapped.data(), wrapped.size()) != 1) return {};
  secret.resize(size);
  return secret;
}

Bytes Crypt(OSSL_LIB_CTX* library, EVP_PKEY* key, bool encrypts, int padding, const Bytes& in) {
  const EvpPkeyCtxPointer context = NewContext(library, key);
  const auto init = encrypts ? EVP_PKEY_encrypt_init : EVP_PKEY_decrypt_init;
  const auto run = encrypts ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
  size_t size = 0;
  if (init(context.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) != 1 ||
      run(context.get(), nullptr, &size, in.data(), in.size()) != 1) {
    return {};
  }
  Bytes out(size);
  if (run(context.get(), out.data(), &size, in.data(), in.size()) != 1) return {};
  out.resize(size);
  return out;
}

Bytes FromText(const char* text) { return Bytes(text, text + strlen(text)); }

}  // namespace

TEST_SUITE("accelerator: keys") {
  TEST_CASE("keys are generated in a job, with a pause, and stay with the accelerator") {
    ForEachKind([](const KeyKind& kind) {
      EvpPkeyPointer key;
      const uint64_t before = Offloads(OffloadClass::kKeyManagement);
      CHECK(PausesOf([&] { key = Generate(Accelerated(), kind.type, kind.option); }) == 1);
      CHECK(Offloads(OffloadClass::kKeyManagement) == before + 1);
      REQUIRE(key != nullptr);
      CHECK(IsAccelerated(EVP_PKEY_get0_provider(key.get())));
      CHECK(EVP_PKEY_is_a(key.get(), kind.type));
      // The default provider finds nothing wrong with its public part.
      const EvpPkeyPointer plain = LoadPublic(nullptr, PublicDer(key.get()));
      REQUIRE(plain != nullptr);
      CHECK(EVP_PKEY_public_check(NewContext(nullptr, plain.get()).get()) == 1);
      CHECK(EVP_PKEY_get_bits(plain.get()) == EVP_PKEY_get_bits(key.get()));
      CHECK(EVP_PKEY_get_size(plain.get()) == EVP_PKEY_get_size(key.get()));
      CHECK(TakeErrors().empty());
    });
  }

  TEST_CASE("keys are generated outside a job too, with reports of progress") {
    int reports = 0;
    const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_name(Accelerated(), "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 1024);
    EVP_PKEY_CTX_set_app_data(context.get(), &reports);
    EVP_PKEY_CTX_set_cb(context.get(), [](EVP_PKEY_CTX* of) {
      ++*static_cast<int*>(EVP_PKEY_CTX_get_app_data(of));
      return 1;
    });
    CHECK(EVP_PKEY_generate(context.get(), &key) == 1);
    const EvpPkeyPointer owner(key);
    CHECK(reports > 0);
  }

  TEST_CASE("private keys are not given to other providers, public ones are") {
    ForEachKind([](const KeyKind& kind) {
      const KeyPair keys(kind.type, kind.option);
      EVP_PKEY* key = keys.accelerated.get();
      for (const int selection : {OSSL_KEYMGMT_SELECT_PRIVATE_KEY, EVP_PKEY_KEYPAIR, OSSL_KEYMGMT_SELECT_ALL}) {
        OSSL_PARAM* params = nullptr;
        CHECK(EVP_PKEY_todata(key, selection, &params) != 1);
        OSSL_PARAM_free(params);
      }
      OSSL_PARAM* params = nullptr;
      CHECK(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params) == 1);
      OSSL_PARAM_free(params);
      ERR_clear_error();
      CHECK(IsPublicOnly(key));  // as far as encoders can tell
      ERR_clear_error();
      CHECK(PublicDer(key) == PublicDer(keys.plain.get()));
      // Of a key that has no private part, everything may be had.
      params = nullptr;
      CHECK(EVP_PKEY_todata(keys.accelerated_public.get(), EVP_PKEY_PUBLIC_KEY, &params) == 1);
      OSSL_PARAM_free(params);
      ERR_clear_error();
    });
  }

  TEST_CASE("beside the default provider, its keys and ours are served by the accelerator, or refused") {
    WithJobs([] {
      const KeyPair keys("EC", "P-256");
      OSSL_LIB_CTX* both = OSSL_LIB_CTX_new();
      REQUIRE(OSSL_PROVIDER_add_builtin(both, kAcceleratorName, AcceleratorProviderInit) == 1);
      OSSL_PROVIDER* accelerator = OSSL_PROVIDER_load(both, kAcceleratorName);
      OSSL_PROVIDER* plain = OSSL_PROVIDER_load(both, "default");
      REQUIRE(accelerator != nullptr);
      REQUIRE(plain != nullptr);
      {
        const EvpPkeyCtxPointer generation(EVP_PKEY_CTX_new_from_name(both, "EC", "provider=accelerator"));
        EVP_PKEY* made = nullptr;
        EVP_PKEY_keygen_init(generation.get());
        EVP_PKEY_CTX_set_group_name(generation.get(), "P-256");
        REQUIRE(EVP_PKEY_generate(generation.get(), &made) == 1);
        const EvpPkeyPointer key(made);
        const Bytes hash(32, 'h');
        Bytes signature(100);
        size_t size = signature.size();
        CHECK(PausesOf([&] {
                const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_pkey(both, key.get(), "?provider=default"));
                CHECK(EVP_PKEY_sign_init(context.get()) == 1);
                CHECK(IsAccelerated(EVP_PKEY_CTX_get0_provider(context.get())));
                CHECK(EVP_PKEY_sign(context.get(), signature.data(), &size, hash.data(), hash.size()) == 1);
              }) == 1);
        const EvpPkeyCtxPointer other(EVP_PKEY_CTX_new_from_pkey(both, key.get(), "provider=default"));
        CHECK(EVP_PKEY_sign_init(other.get()) != 1);
        ERR_clear_error();
        // And a key of the default provider, by a context that prefers the accelerator.
        const EvpPkeyPointer plain_key = LoadPrivate(both, PrivateDer(keys.plain.get()));
        size = signature.size();
        CHECK(PausesOf([&] {
                const EvpPkeyCtxPointer context(
                    EVP_PKEY_CTX_new_from_pkey(both, plain_key.get(), "?provider=accelerator"));
                CHECK(EVP_PKEY_sign_init(context.get()) == 1);
                CHECK(EVP_PKEY_sign(context.get(), signature.data(), &size, hash.data(), hash.size()) == 1);
              }) == 1);
      }
      OSSL_PROVIDER_unload(plain);
      OSSL_PROVIDER_unload(accelerator);
      OSSL_LIB_CTX_free(both);
    });
  }

  TEST_CASE("keys are compared, copied and checked") {
    ForEachKind([](const KeyKind& kind) {
      const KeyPair keys(kind.type, kind.option);
      const KeyPair others(kind.type, kind.option, 1);
      CHECK(EVP_PKEY_eq(keys.accelerated.get(), keys.accelerated_public.get()) == 1);
      CHECK(EVP_PKEY_eq(keys.accelerated.get(), keys.plain.get()) == 1);
      CHECK(EVP_PKEY_eq(keys.plain.get(), keys.accelerated.get()) == 1);
      CHECK(EVP_PKEY_eq(keys.accelerated.get(), others.accelerated.get()) == 0);
      CHECK(EVP_PKEY_eq(keys.accelerated.get(), others.plain.get()) == 0);
      CHECK(TakeErrors().empty());
      const EvpPkeyPointer copy(EVP_PKEY_dup(keys.accelerated.get()));
      REQUIRE(copy != nullptr);
      CHECK(IsAccelerated(EVP_PKEY_get0_provider(copy.get())));
      CHECK(EVP_PKEY_eq(copy.get(), keys.plain.get()) == 1);
      const EvpPkeyCtxPointer plain = NewContext(nullptr, keys.plain.get());
      const int pairwise = EVP_PKEY_pairwise_check(plain.get());
      int found = -10;
      const unsigned pauses =
          PausesOf([&] { found = EVP_PKEY_pairwise_check(NewContext(Accelerated(), keys.accelerated.get()).get()); });
      CHECK(found == pairwise);
      CHECK(pauses == 1);
      ERR_clear_error();
    });
  }

  TEST_CASE("a key that is given in part is completed, as TLS does with a peer's") {
    for (const KeyKind& kind : {KeyKind{"EC", "P-256"}, KeyKind{"X25519", ""}, KeyKind{"DH", "ffdhe2048"}}) {
      CAPTURE(std::string(kind.type));
      const KeyPair keys(kind.type, kind.option);
      unsigned char* encoded = nullptr;
      const size_t size = EVP_PKEY_get1_encoded_public_key(keys.plain.get(), &encoded);
      REQUIRE(size > 0);
      const EvpPkeyPointer ours = Generate(Accelerated(), kind.type, kind.option);
      const EvpPkeyPointer peer(EVP_PKEY_new());
      REQUIRE(EVP_PKEY_copy_parameters(peer.get(), ours.get()) == 1);
      REQUIRE(EVP_PKEY_set1_encoded_public_key(peer.get(), encoded, size) == 1);
      CHECK(EVP_PKEY_eq(peer.get(), keys.plain.get()) == 1);
      CHECK(Derive(Accelerated(), ours.get(), peer.get()) ==
            Derive(nullptr, keys.plain.get(), LoadPublic(nullptr, PublicDer(ours.get())).get()));
      OPENSSL_free(encoded);
    }
  }

  TEST_CASE("bad keys are refused as by the default provider") {
    Bytes not_on_curve = PublicDer(KeyPair("EC", "P-256").plain.get());
    not_on_curve.back() ^= 1;
    ERR_clear_error();
    CHECK(LoadPublic(nullptr, not_on_curve) == nullptr);
    ERR_clear_error();
    CHECK(LoadPublic(Accelerated(), not_on_curve) == nullptr);
    CHECK_FALSE(TakeErrors().empty());
    for (OSSL_LIB_CTX* library : {static_cast<OSSL_LIB_CTX*>(nullptr), Accelerated()}) {
      CHECK(Generate(library, "EC", "no such group") == nullptr);
      CHECK(Generate(library, "RSA", "100") == nullptr);
      const auto outside = TakeErrors();
      WithJobs([&] {
        PausesOf([&] {
          CHECK(Generate(library, "EC", "no such group") == nullptr);
          CHECK(Generate(library, "RSA", "100") == nullptr);
        });
        CHECK(TakeErrors() == outside);
      });
    }
  }
}

TEST_SUITE("accelerator: encryption, exchange, encapsulation") {
  TEST_CASE("RSA encrypts and decrypts in jobs") {
    WithJobs([] {
      const KeyPair keys("RSA", "1536");
      const Bytes secret = FromText("forty-eight bytes are what TLS 1.2 would encrypt");
      for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING}) {
        Bytes encrypted;
        CHECK(PausesOf([&] {
                encrypted = Crypt(Accelerated(), keys.accelerated_public.get(), true, padding, secret);
              }) == 1);
        CHECK(Crypt(nullptr, keys.plain.get(), false, padding, encrypted) == secret);
        encrypted = Crypt(nullptr, keys.plain.get(), true, padding, secret);
        Bytes decrypted;
        CHECK(PausesOf([&] { decrypted = Crypt(Accelerated(), keys.accelerated.get(), false, padding, encrypted); }) ==
              1);
        CHECK(decrypted == secret);
      }
      CHECK(TakeErrors().empty());
      const Bytes garbage(192, 1);
      CHECK(Crypt(nullptr, keys.plain.get(), false, RSA_PKCS1_OAEP_PADDING, garbage).empty());
      const auto errors = TakeErrors();
      CHECK_FALSE(errors.empty());
      CHECK(PausesOf([&] {
              CHECK(Crypt(Accelerated(), keys.accelerated.get(), false, RSA_PKCS1_OAEP_PADDING, garbage).empty());
            }) == 1);
      CHECK(TakeErrors() == errors);
    });
  }

  TEST_CASE("both sides of an exchange come to the same secret") {
    for (const KeyKind& kind : {KeyKind{"EC", "P-256"}, KeyKind{"EC", "P-384"}, KeyKind{"X25519", ""},
                                KeyKind{"X448", ""}, KeyKind{"DH", "ffdhe2048"}}) {
      CAPTURE(std::string(kind.type));
      WithJobs([&] {
        const KeyPair ours(kind.type, kind.option);
        const KeyPair theirs(kind.type, kind.option, 1);
        const Bytes expected = Derive(nullptr, theirs.plain.get(), ours.plain.get());
        REQUIRE(!expected.empty());
        Bytes secret;
        const uint64_t before = Offloads(OffloadClass::kKeyExchange);
        PausesOf([&] { secret = Derive(Accelerated(), ours.accelerated.get(), theirs.accelerated_public.get()); });
        CHECK(Offloads(OffloadClass::kKeyExchange) == before + 1);
        CHECK(secret == expected);
        CHECK(Derive(Accelerated(), ours.accelerated.get(), theirs.accelerated_public.get()) == expected);
      });
    }
  }

  TEST_CASE("secrets are encapsulated and decapsulated") {
    struct KemCase {
      const char* type;
      const char* option;
      const char* operation;
    };
    constexpr KemCase kKems[] = {{"RSA", "1536", "RSASVE"},   {"ML-KEM-512", "", nullptr},
                                 {"ML-KEM-768", "", nullptr}, {"ML-KEM-1024", "", nullptr},
                                 {"X25519", "", "DHKEM"},     {"X448", "", "DHKEM"},
                                 {"EC", "P-256", "DHKEM"},    {"X25519MLKEM768", "", nullptr}};
    size_t tested = 0;
    for (const KemCase& kem : kKems) {
      if (!Has(kem.type)) continue;
      CAPTURE(std::string(kem.type));
      WithJobs([&] {
        // A hybrid has no DER: its keys are made in the accelerator.
        const bool is_hybrid = strcmp(kem.type, "X25519MLKEM768") == 0;
        EvpPkeyPointer plain = Generate(nullptr, kem.type, kem.option);
        if (Encapsulate(nullptr, plain.get(), kem.operation).wrapped.empty()) {
          ERR_clear_error();
          return;  // this OpenSSL cannot
        }
        ++tested;
        const EvpPkeyPointer key =
            is_hybrid ? Generate(Accelerated(), kem.type) : LoadPrivate(Accelerated(), PrivateDer(plain.get()));
        REQUIRE(key != nullptr);
        Encapsulated made;
        CHECK(PausesOf([&] { made = Encapsulate(Accelerated(), key.get(), kem.operation); }) == 1);
        REQUIRE(!made.secret.empty());
        if (!is_hybrid) CHECK(Decapsulate(nullptr, plain.get(), kem.operation, made.wrapped) == made.secret);
        Bytes secret;
        CHECK(PausesOf([&] { secret = Decapsulate(Accelerated(), key.get(), kem.operation, made.wrapped); }) == 1);
        CHECK(secret == made.secret);
      });
    }
    CHECK(tested > 0);
  }
}

TEST_SUITE("accelerator: provider") {
  TEST_CASE("tells its name, and how much it did where") {
    OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
    REQUIRE(OSSL_PROVIDER_add_builtin(library, kAcceleratorName, AcceleratorProviderInit) == 1);
    OSSL_PROVIDER* provider = OSSL_PROVIDER_load(library, kAcceleratorName);
    REQUIRE(provider != nullptr);
    const auto count = [&](const char* name) {
      uint64_t value = UINT64_MAX;
      OSSL_PARAM params[] = {OSSL_PARAM_construct_uint64(name, &value), OSSL_PARAM_construct_end()};
      CHECK(OSSL_PROVIDER_get_params(provider, params) == 1);
      CHECK(OSSL_PARAM_locate_const(OSSL_PROVIDER_gettable_params(provider), name) != nullptr);
      return value;
    };
    const uint64_t offloaded = count("keyexch-offloaded");
    const uint64_t inlined = count("keyexch-inline");
    CHECK(count("keyexch-refused") != UINT64_MAX);
    WithJobs([&] {
      const KeyPair ours("X25519");
      const KeyPair theirs("X25519");
      PausesOf([&] { Derive(Accelerated(), ours.accelerated.get(), theirs.accelerated.get()); });
      Derive(Accelerated(), ours.accelerated.get(), theirs.accelerated.get());
    });
    CHECK(count("keyexch-offloaded") == offloaded + 1);
    CHECK(count("keyexch-inline") == inlined + 1);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(library);
  }

  TEST_CASE("alone it has digests, ciphers, MACs and random numbers") {
    OSSL_LIB_CTX* library = Accelerated();
    const Bytes data(100, 'd');
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char expected[EVP_MAX_MD_SIZE];
    size_t size = 0;
    REQUIRE(EVP_Q_digest(nullptr, "SHA256", nullptr, data.data(), data.size(), expected, &size) == 1);
    REQUIRE(EVP_Q_digest(library, "SHA256", nullptr, data.data(), data.size(), digest, &size) == 1);
    CHECK(memcmp(digest, expected, size) == 0);
    CHECK(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, "key", 3, data.data(), data.size(), expected,
                    sizeof(expected), &size) != nullptr);
    CHECK(EVP_Q_mac(library, "HMAC", nullptr, "SHA256", nullptr, "key", 3, data.data(), data.size(), digest,
                    sizeof(digest), &size) != nullptr);
    CHECK(memcmp(digest, expected, size) == 0);
    const EvpCipherPointer cipher(EVP_CIPHER_fetch(library, "AES-256-GCM", nullptr));
    CHECK(cipher != nullptr);
    Bytes random(32);
    CHECK(RAND_bytes_ex(library, random.data(), random.size(), 0) == 1);
    CHECK(random != Bytes(32));
  }
}

}  // namespace openssl_async::testing
