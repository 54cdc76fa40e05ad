// Each signature algorithm, by the accelerator in jobs and by the default provider, which has to agree.
#include <openssl/rsa.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "accelerator_keys.h"

namespace openssl_async::testing {

namespace {

struct SignatureCase {
  const char* type;
  const char* option;
  const char* digest;  // null: the algorithm has its own
  bool pss = false;
  bool streams = true;
};

constexpr SignatureCase kCases[] = {
    {"RSA", "1536", "SHA256"},
    {"RSA", "1536", "SHA512", true},
    {"RSA-PSS", "1536", "SHA256"},
    {"EC", "P-256", "SHA256"},
    {"EC", "P-384", "SHA384"},
    {"EC", "P-521", "SHA512"},
    {"EC", "secp256k1", "SHA256"},
    {"ED25519", "", nullptr, false, false},
    {"ED448", "", nullptr, false, false},
    {"SM2", "", "SM3"},
    {"ML-DSA-44", "", nullptr, false, false},
    {"ML-DSA-65", "", nullptr, false, false},
    {"ML-DSA-87", "", nullptr, false, false},
    {"SLH-DSA-SHA2-128f", "", nullptr, false, false},
    {"SLH-DSA-SHAKE-256f", "", nullptr, false, false},
};

const Bytes kMessage(1000, 'm');

enum class Style { kWhole, kPieces };

class Signer {
 public:
  Signer(const SignatureCase& of, OSSL_LIB_CTX* library) : case_(of), library_(library) {}

  EvpMdCtxPointer NewContext(EVP_PKEY* key, bool verifies) const {
    EvpMdCtxPointer context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    const auto init = verifies ? EVP_DigestVerifyInit_ex : EVP_DigestSignInit_ex;
    if (init(context.get(), &key_context, case_.digest, library_, nullptr, key, nullptr) != 1) return nullptr;
    if (case_.pss && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
                      EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
      return nullptr;
    }
    return context;
  }

  Bytes Sign(EVP_MD_CTX* context, Style style = Style::kWhole, const Bytes& message = kMessage) const {
    size_t size = 0;
    Bytes signature;
    if (style == Style::kWhole) {
      if (EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) != 1) return {};
      signature.resize(size);
      if (EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) != 1) return {};
    } else {
      const size_t half = message.size() / 2;
      if (EVP_DigestSignUpdate(context, message.data(), half) != 1 ||
          EVP_DigestSignUpdate(context, message.data() + half, message.size() - half) != 1 ||
          EVP_DigestSignFinal(context, nullptr, &size) != 1) {
        return {};
      }
      signature.resize(size);
      if (EVP_DigestSignFinal(context, signature.data(), &size) != 1) return {};
    }
    signature.resize(size);
    return signature;
  }
  Bytes Sign(EVP_PKEY* key, Style style = Style::kWhole) const {
    const EvpMdCtxPointer context = NewContext(key, false);
    return context ? Sign(context.get(), style) : Bytes();
  }

  int Verify(EVP_PKEY* key, const Bytes& signature, Style style = Style::kWhole) const {
    const EvpMdCtxPointer context = NewContext(key, true);
    if (!context) return -100;
    if (style == Style::kWhole) {
      return EVP_DigestVerify(context.get(), signature.data(), signature.size(), kMessage.data(), kMessage.size());
    }
    if (EVP_DigestVerifyUpdate(context.get(), kMessage.data(), kMessage.size()) != 1) return -101;
    return EVP_DigestVerifyFinal(context.get(), signature.data(), signature.size());
  }

 private:
  const SignatureCase& case_;
  OSSL_LIB_CTX* library_;
};

void ForEachCase(const std::function<void(const SignatureCase&)>& body) {
  for (const SignatureCase& of : kCases) {
    if (!Has(of.type)) continue;
    const std::string name = std::string(of.type) + " " + of.option + (of.pss ? " PSS" : "");
    CAPTURE(name);
    WithJobs([&] { body(of); });
  }
}

// SHA-256 of nothing in particular, for EVP_PKEY_sign().
const Bytes kHash(32, 'h');

// Since OpenSSL 3.4 EVP adds an error of its own where a provider gave none, but only for messages in one piece, which
// the default provider does not take from EVP.
std::vector<std::pair<int, int>> TakeProviderErrors() {
  constexpr int kProviderSignatureFailure = 234;
  std::vector<std::pair<int, int>> errors = TakeErrors();
  const std::pair<int, int> added = {ERR_LIB_EVP, kProviderSignatureFailure};
  errors.erase(std::remove(errors.begin(), errors.end(), added), errors.end());
  return errors;
}

struct Plain {
  const char* type;
  const char* option;
};

}  // namespace

TEST_SUITE("accelerator: signatures") {
  TEST_CASE("the default provider verifies signatures made in a job, with a pause") {
    ForEachCase([](const SignatureCase& of) {
      const KeyPair keys(of.type, of.option);
      const Signer accelerated(of, Accelerated());
      const Signer plain(of, nullptr);
      for (const Style style : {Style::kWhole, Style::kPieces}) {
        if (style == Style::kPieces && !of.streams) continue;
        for (int round = 0; round < 3; ++round) {
          Bytes signature;
          const uint64_t before = Offloads(OffloadClass::kSignature);
          CHECK(PausesOf([&] { signature = accelerated.Sign(keys.accelerated.get(), style); }) == 1);
          CHECK(Offloads(OffloadClass::kSignature) == before + 1);
          CHECK(plain.Verify(keys.plain.get(), signature) == 1);
        }
      }
      CHECK(TakeErrors().empty());
    });
  }

  TEST_CASE("the default provider's signatures are verified in a job, with a pause, and nothing else is") {
    ForEachCase([](const SignatureCase& of) {
      const KeyPair keys(of.type, of.option);
      const Signer accelerated(of, Accelerated());
      Bytes signature = Signer(of, nullptr).Sign(keys.plain.get());
      REQUIRE(!signature.empty());
      for (const Style style : {Style::kWhole, Style::kPieces}) {
        if (style == Style::kPieces && !of.streams) continue;
        for (int round = 0; round < 3; ++round) {
          int valid = -1;
          CHECK(PausesOf([&] { valid = accelerated.Verify(keys.accelerated_public.get(), signature, style); }) == 1);
          CHECK(valid == 1);
        }
      }
      signature.back() ^= 1;
      int valid = -1;
      PausesOf([&] { valid = accelerated.Verify(keys.accelerated_public.get(), signature); });
      CHECK(valid != 1);
      ERR_clear_error();
    });
  }

  TEST_CASE("outside a job signatures are made inline") {
    ForEachCase([](const SignatureCase& of) {
      const KeyPair keys(of.type, of.option);
      const uint64_t before = Offloads(OffloadClass::kSignature);
      const Bytes signature = Signer(of, Accelerated()).Sign(keys.accelerated.get());
      CHECK(Signer(of, Accelerated()).Verify(keys.accelerated_public.get(), signature) == 1);
      CHECK(Signer(of, nullptr).Verify(keys.plain.get(), signature) == 1);
      CHECK(Offloads(OffloadClass::kSignature) == before);
    });
  }

  TEST_CASE("a context can be initialised again, copied, and copied in the middle of a message") {
    ForEachCase([](const SignatureCase& of) {
      const KeyPair keys(of.type, of.option);
      const Signer accelerated(of, Accelerated());
      const Signer plain(of, nullptr);
      std::vector<Bytes> signatures;
      PausesOf([&] {
        const EvpMdCtxPointer context = accelerated.NewContext(keys.accelerated.get(), false);
        const EvpMdCtxPointer copy(EVP_MD_CTX_new());
        if (EVP_MD_CTX_copy_ex(copy.get(), context.get()) == 1) signatures.push_back(accelerated.Sign(copy.get()));
        signatures.push_back(accelerated.Sign(context.get()));
        if (!of.pss) {  // which setting up again forgets
          for (int round = 0; round < 2; ++round) {
            if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, nullptr) != 1) break;
            signatures.push_back(accelerated.Sign(context.get()));
          }
        }
        if (of.streams) {
          const EvpMdCtxPointer halfway = accelerated.NewContext(keys.accelerated.get(), false);
          EVP_DigestSignUpdate(halfway.get(), kMessage.data(), 300);
          const EvpMdCtxPointer other(EVP_MD_CTX_new());
          EVP_MD_CTX_copy_ex(other.get(), halfway.get());
          const Bytes rest(kMessage.begin() + 300, kMessage.end());
          signatures.push_back(accelerated.Sign(other.get(), Style::kPieces, rest));
          EVP_DigestSignUpdate(halfway.get(), "what does not belong there", 26);
        }
        // One that was left in the middle of a message does not spoil the next.
        signatures.push_back(accelerated.Sign(keys.accelerated.get()));
      });
      CHECK(signatures.size() == (of.pss ? 4 : of.streams ? 6 : 5));
      for (const Bytes& signature : signatures) CHECK(plain.Verify(keys.plain.get(), signature) == 1);
      CHECK(TakeErrors().empty());
    });
  }

  TEST_CASE("many jobs sign with one key at the same time") {
    for (const SignatureCase& of : {kCases[0], kCases[3], kCases[7]}) {
      CAPTURE(std::string(of.type));
      WithJobs([&] {
        const KeyPair keys(of.type, of.option);
        const Signer accelerated(of, Accelerated());
        constexpr size_t kJobs = 64;
        std::vector<Bytes> signatures(kJobs);
        std::vector<std::unique_ptr<HandJob>> jobs;
        for (Bytes& signature : signatures) {
          jobs.push_back(
              std::make_unique<HandJob>([&] { signature = accelerated.Sign(keys.accelerated.get()); }, Wait::kFd));
        }
        for (auto& job : jobs) REQUIRE(job->Step());
        for (auto& job : jobs) {
          job->AwaitWakeUp();
          CHECK_FALSE(job->Step());
        }
        for (const Bytes& signature : signatures) CHECK(Signer(of, nullptr).Verify(keys.plain.get(), signature) == 1);
      });
    }
  }

  TEST_CASE("digests are signed, verified and recovered as by the default provider") {
    for (const Plain& of : {Plain{"RSA", "1536"}, Plain{"EC", "P-256"}}) {
      CAPTURE(std::string(of.type));
      WithJobs([&] {
        const KeyPair keys(of.type, of.option);
        const bool is_rsa = strcmp(of.type, "RSA") == 0;
        const auto new_context = [&](OSSL_LIB_CTX* library, EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*)) {
          EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
          const bool ready = init(context.get()) == 1 &&
                             (!is_rsa || (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                                          EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1));
          return ready ? std::move(context) : nullptr;
        };
        Bytes signature(EVP_PKEY_get_size(keys.plain.get()));
        size_t size = signature.size();
        CHECK(PausesOf([&] {
                const EvpPkeyCtxPointer context =
                    new_context(Accelerated(), keys.accelerated.get(), EVP_PKEY_sign_init);
                const EvpPkeyCtxPointer copy(EVP_PKEY_CTX_dup(context.get()));
                CHECK(EVP_PKEY_sign(copy.get(), signature.data(), &size, kHash.data(), kHash.size()) == 1);
              }) == 1);
        const EvpPkeyCtxPointer plain = new_context(nullptr, keys.plain.get(), EVP_PKEY_verify_init);
        CHECK(EVP_PKEY_verify(plain.get(), signature.data(), size, kHash.data(), kHash.size()) == 1);
        CHECK(PausesOf([&] {
                const EvpPkeyCtxPointer context =
                    new_context(Accelerated(), keys.accelerated_public.get(), EVP_PKEY_verify_init);
                CHECK(EVP_PKEY_verify(context.get(), signature.data(), size, kHash.data(), kHash.size()) == 1);
              }) == 1);
        if (!is_rsa) return;
        Bytes recovered(signature.size());
        size_t recovered_size = recovered.size();
        CHECK(PausesOf([&] {
                const EvpPkeyCtxPointer context =
                    new_context(Accelerated(), keys.accelerated_public.get(), EVP_PKEY_verify_recover_init);
                CHECK(EVP_PKEY_verify_recover(context.get(), recovered.data(), &recovered_size, signature.data(),
                                              size) == 1);
              }) == 1);
        recovered.resize(recovered_size);
        CHECK(recovered == kHash);
      });
    }
  }

  TEST_CASE("DSA, with parameters made in a job") {
    WithJobs([] {
      EvpPkeyPointer parameters;
      const uint64_t before = Offloads(OffloadClass::kKeyManagement);
      CHECK(PausesOf([&] {
              const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_name(Accelerated(), "DSA", nullptr));
              EVP_PKEY* made = nullptr;
              size_t bits = 1024;
              const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &bits),
                                           OSSL_PARAM_construct_end()};
              EVP_PKEY_paramgen_init(context.get());
              EVP_PKEY_CTX_set_params(context.get(), params);
              if (EVP_PKEY_paramgen(context.get(), &made) == 1) parameters.reset(made);
            }) == 1);
      REQUIRE(parameters != nullptr);
      EvpPkeyPointer key;
      CHECK(PausesOf([&] {
              const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_pkey(Accelerated(), parameters.get(), nullptr));
              EVP_PKEY* made = nullptr;
              EVP_PKEY_keygen_init(context.get());
              if (EVP_PKEY_keygen(context.get(), &made) == 1) key.reset(made);
            }) == 1);
      REQUIRE(key != nullptr);
      CHECK(Offloads(OffloadClass::kKeyManagement) == before + 2);
      const SignatureCase of = {"DSA", "", "SHA256"};
      const EvpPkeyPointer plain = LoadPublic(nullptr, PublicDer(key.get()));
      REQUIRE(plain != nullptr);
      for (const Style style : {Style::kWhole, Style::kPieces}) {
        Bytes signature;
        CHECK(PausesOf([&] { signature = Signer(of, Accelerated()).Sign(key.get(), style); }) == 1);
        CHECK(Signer(of, nullptr).Verify(plain.get(), signature) == 1);
      }
    });
  }

  TEST_CASE("errors are those of the default provider, in jobs and outside") {
    const KeyPair rsa("RSA", "1536");
    const KeyPair ec("EC", "P-256");
    struct Faulty {
      const char* what;
      std::function<int(OSSL_LIB_CTX*, EVP_PKEY* rsa, EVP_PKEY* ec)> call;
    };
    const auto digest_sign = [](OSSL_LIB_CTX* library, EVP_PKEY* key, const char* digest, size_t room) {
      const EvpMdCtxPointer context(EVP_MD_CTX_new());
      if (EVP_DigestSignInit_ex(context.get(), nullptr, digest, library, nullptr, key, nullptr) != 1) return -2;
      Bytes signature(room);
      return EVP_DigestSign(context.get(), signature.data(), &room, kMessage.data(), kMessage.size());
    };
    const Faulty kFaulty[] = {
        {"an unknown digest",
         [&](OSSL_LIB_CTX* library, EVP_PKEY*, EVP_PKEY* key) { return digest_sign(library, key, "SHA-77", 100); }},
        {"a digest that cannot sign",
         [&](OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY*) { return digest_sign(library, key, "SHAKE256", 192); }},
        {"too little room, RSA",
         [&](OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY*) { return digest_sign(library, key, "SHA256", 10); }},
        {"too little room, EC",
         [&](OSSL_LIB_CTX* library, EVP_PKEY*, EVP_PKEY* key) { return digest_sign(library, key, "SHA256", 10); }},
        {"a hash of another length",
         [](OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY*) {
           const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
           EVP_PKEY_sign_init(context.get());
           EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256());
           Bytes signature(192);
           size_t size = signature.size();
           return EVP_PKEY_sign(context.get(), signature.data(), &size, kMessage.data(), 20);
         }},
        {"a salt that does not fit",
         [](OSSL_LIB_CTX* library, EVP_PKEY* key, EVP_PKEY*) {
           const EvpMdCtxPointer context(EVP_MD_CTX_new());
           EVP_PKEY_CTX* key_context = nullptr;
           EVP_DigestSignInit_ex(context.get(), &key_context, "SHA512", library, nullptr, key, nullptr);
           EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
           EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, 180);
           Bytes signature(192);
           size_t size = signature.size();
           return EVP_DigestSign(context.get(), signature.data(), &size, kMessage.data(), kMessage.size());
         }},
        {"not a signature",
         [](OSSL_LIB_CTX* library, EVP_PKEY*, EVP_PKEY* key) {
           const EvpMdCtxPointer context(EVP_MD_CTX_new());
           EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", library, nullptr, key, nullptr);
           return EVP_DigestVerify(context.get(), kHash.data(), kHash.size(), kMessage.data(), kMessage.size());
         }},
    };
    for (const Faulty& faulty : kFaulty) {
      CAPTURE(std::string(faulty.what));
      ERR_clear_error();
      const int expected = faulty.call(nullptr, rsa.plain.get(), ec.plain.get());
      const auto expected_errors = TakeProviderErrors();
      CHECK(expected != 1);
      for (int round = 0; round < 2; ++round) {
        CHECK(faulty.call(Accelerated(), rsa.accelerated.get(), ec.accelerated.get()) == expected);
        CHECK(TakeProviderErrors() == expected_errors);
        WithJobs([&] {
          int result = 1;
          PausesOf([&] { result = faulty.call(Accelerated(), rsa.accelerated.get(), ec.accelerated.get()); });
          CHECK(result == expected);
          CHECK(TakeProviderErrors() == expected_errors);
        });
      }
    }
  }

  TEST_CASE("the identifier of the algorithm, and other parameters of a context, are the default provider's") {
    ForEachCase([](const SignatureCase& of) {
      const KeyPair keys(of.type, of.option);
      const auto identifier = [&](OSSL_LIB_CTX* library, EVP_PKEY* key) {
        const EvpMdCtxPointer context = Signer(of, library).NewContext(key, false);
        Bytes id(256);
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id.data(), id.size()),
            OSSL_PARAM_construct_end()};
        if (EVP_PKEY_CTX_get_params(EVP_MD_CTX_get_pkey_ctx(context.get()), params) != 1) return Bytes();
        id.resize(params[0].return_size);
        return id;
      };
      const Bytes expected = identifier(nullptr, keys.plain.get());
      // Made, kept, and made anew.
      for (int round = 0; round < 3; ++round) CHECK(identifier(Accelerated(), keys.accelerated.get()) == expected);
    });
  }
}

TEST_SUITE("threads: accelerator") {
  TEST_CASE("threads sign and verify with one key at the same time, inline") {
    const SignatureCase& of = kCases[3];
    const KeyPair keys(of.type, of.option);
    constexpr int kThreads = 4;
    constexpr int kRounds = 50;
    std::atomic<int> valid{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        const Signer signer(of, Accelerated());
        for (int round = 0; round < kRounds; ++round) {
          const Bytes signature = signer.Sign(keys.accelerated.get(), round % 2 == 0 ? Style::kWhole : Style::kPieces);
          if (signer.Verify(keys.accelerated.get(), signature) == 1) ++valid;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(valid == kThreads * kRounds);
  }
}

}  // namespace openssl_async::testing
