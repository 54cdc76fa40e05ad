// Key derivation by the accelerator, against published vectors and the default provider.
#include <openssl/kdf.h>

#include "accelerator_keys.h"

namespace openssl_async::testing {

namespace {

OSSL_PARAM Octets(const char* name, const Bytes& bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(bytes.data()), bytes.size());
}
OSSL_PARAM Text(const char* name, const char* text) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text), 0);
}

Bytes DeriveWith(OSSL_LIB_CTX* library, const char* name, std::vector<OSSL_PARAM> params, size_t size) {
  params.push_back(OSSL_PARAM_construct_end());
  const EvpKdfPointer kdf(EVP_KDF_fetch(library, name, nullptr));
  const EvpKdfCtxPointer context(EVP_KDF_CTX_new(kdf.get()));
  Bytes key(size);
  if (!context || EVP_KDF_derive(context.get(), key.data(), key.size(), params.data()) != 1) return {};
  return key;
}

Bytes FromHex(const char* hex) {
  long size = 0;
  unsigned char* bytes = OPENSSL_hexstr2buf(hex, &size);
  Bytes copy(bytes, bytes + size);
  OPENSSL_free(bytes);
  return copy;
}

Bytes FromText(const char* text) { return Bytes(text, text + strlen(text)); }

}  // namespace

TEST_SUITE("accelerator: key derivation") {
  TEST_CASE("published vectors, in jobs and outside") {
    uint64_t iterations = 80000;
    uint64_t scrypt_n = 1024;
    uint32_t scrypt_r = 8;
    uint32_t scrypt_p = 16;
    const Bytes password = FromText("Password");
    const Bytes salt = FromText("NaCl");
    const Bytes scrypt_password = FromText("password");
    const Bytes hkdf_key(22, 0x0b);
    const Bytes hkdf_salt = FromHex("000102030405060708090a0b0c");
    const Bytes hkdf_info = FromHex("f0f1f2f3f4f5f6f7f8f9");
    struct Vector {
      const char* name;
      std::vector<OSSL_PARAM> params;
      Bytes expected;
    };
    const Vector kVectors[] = {
        {"PBKDF2",  // RFC 7914, 11
         {Octets(OSSL_KDF_PARAM_PASSWORD, password), Octets(OSSL_KDF_PARAM_SALT, salt),
          OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations), Text(OSSL_KDF_PARAM_DIGEST, "SHA256")},
         FromHex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                 "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d")},
        {"SCRYPT",  // RFC 7914, 12
         {Octets(OSSL_KDF_PARAM_PASSWORD, scrypt_password), Octets(OSSL_KDF_PARAM_SALT, salt),
          OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &scrypt_n),
          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &scrypt_r),
          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &scrypt_p)},
         FromHex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                 "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")},
        {"HKDF",  // RFC 5869, A.1
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_KEY, hkdf_key),
          Octets(OSSL_KDF_PARAM_SALT, hkdf_salt), Octets(OSSL_KDF_PARAM_INFO, hkdf_info)},
         FromHex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")},
    };
    for (const Vector& vector : kVectors) {
      CAPTURE(std::string(vector.name));
      WithJobs([&] {
        Bytes key;
        CHECK(PausesOf([&] { key = DeriveWith(Accelerated(), vector.name, vector.params, vector.expected.size()); }) ==
              1);
        CHECK(key == vector.expected);
        CHECK(DeriveWith(Accelerated(), vector.name, vector.params, vector.expected.size()) == vector.expected);
      });
    }
  }

  TEST_CASE("other functions agree with the default provider") {
    const Bytes secret(32, 's');
    const Bytes info(16, 'i');
    struct KdfCase {
      const char* name;
      std::vector<OSSL_PARAM> params;
      unsigned pauses = 1;
    };
    const KdfCase kKdfs[] = {
        {"SSKDF",
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_KEY, secret),
          Octets(OSSL_KDF_PARAM_INFO, info)}},
        {"X963KDF",
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_KEY, secret),
          Octets(OSSL_KDF_PARAM_INFO, info)}},
        {"X942KDF-ASN1",
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_KEY, secret),
          Text(OSSL_KDF_PARAM_CEK_ALG, "AES-256-WRAP")}},
        {"KBKDF",
         {Text(OSSL_KDF_PARAM_MAC, "HMAC"), Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_KEY, secret),
          Octets(OSSL_KDF_PARAM_SALT, info)}},
        // Steps of a TLS handshake, of a microsecond each: too short for a pause.
        {"TLS1-PRF",
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Octets(OSSL_KDF_PARAM_SECRET, secret),
          Octets(OSSL_KDF_PARAM_SEED, info)},
         0},
        {"TLS13-KDF",
         {Text(OSSL_KDF_PARAM_DIGEST, "SHA256"), Text(OSSL_KDF_PARAM_MODE, "EXTRACT_ONLY"),
          Octets(OSSL_KDF_PARAM_KEY, secret)},
         0},
    };
    for (const KdfCase& kdf : kKdfs) {
      CAPTURE(std::string(kdf.name));
      WithJobs([&] {
        const Bytes expected = DeriveWith(nullptr, kdf.name, kdf.params, 32);
        REQUIRE(!expected.empty());
        Bytes key;
        CHECK(PausesOf([&] { key = DeriveWith(Accelerated(), kdf.name, kdf.params, 32); }) == kdf.pauses);
        CHECK(key == expected);
      });
    }
  }

  TEST_CASE("missing parameters raise the default provider's errors") {
    ERR_clear_error();
    CHECK(DeriveWith(nullptr, "HKDF", {}, 32).empty());
    const auto errors = TakeErrors();
    CHECK_FALSE(errors.empty());
    WithJobs([&] {
      PausesOf([&] { CHECK(DeriveWith(Accelerated(), "HKDF", {}, 32).empty()); });
      CHECK(TakeErrors() == errors);
    });
  }
}

}  // namespace openssl_async::testing
