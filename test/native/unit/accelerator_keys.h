// Keys for the accelerator's tests: made by the default provider, or loaded into the accelerator, or both.
#pragma once

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "accelerator_support.h"
#include "libraries/library_context.h"
#include "openssl/error_queue.h"

namespace openssl_async::testing {

using Bytes = std::vector<unsigned char>;

inline OSSL_LIB_CTX* Accelerated() {
  Result<OSSL_LIB_CTX*> context = AcceleratorLibraryContext();
  REQUIRE(context.ok());
  return context.value();
}

inline bool IsAccelerated(const OSSL_PROVIDER* provider) {
  return provider != nullptr && strcmp(OSSL_PROVIDER_get0_name(provider), "accelerator") == 0;
}

// Whether the running OpenSSL has keys of this kind.
inline bool Has(const char* type) {
  const ErrorQueueScope errors;
  EVP_KEYMGMT* keys = EVP_KEYMGMT_fetch(nullptr, type, nullptr);
  EVP_KEYMGMT_free(keys);
  return keys != nullptr;
}

// `option` is a group or a number of bits, where a kind of keys has such.
inline EvpPkeyPointer Generate(OSSL_LIB_CTX* library, const std::string& type, const std::string& option = "") {
  const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_name(library, type.c_str(), nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
  if (!option.empty()) {
    const bool is_number = option.find_first_not_of("0123456789") == std::string::npos;
    size_t bits = is_number ? std::stoul(option) : 0;
    std::string group = option;
    const OSSL_PARAM params[] = {
        is_number ? OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_BITS, &bits)
                  : OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_PKEY_CTX_set_params(context.get(), params) != 1) return nullptr;
  }
  return EvpPkeyPointer(EVP_PKEY_generate(context.get(), &key) == 1 ? key : nullptr);
}

inline Bytes PrivateDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PrivateKey(key, &der);
  const Bytes bytes(der, der + (size > 0 ? size : 0));
  OPENSSL_free(der);
  return bytes;
}

inline Bytes PublicDer(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const Bytes bytes(der, der + (size > 0 ? size : 0));
  OPENSSL_free(der);
  return bytes;
}

inline EvpPkeyPointer LoadPrivate(OSSL_LIB_CTX* library, const Bytes& der) {
  const unsigned char* at = der.data();
  return EvpPkeyPointer(d2i_AutoPrivateKey_ex(nullptr, &at, static_cast<long>(der.size()), library, nullptr));
}

inline EvpPkeyPointer LoadPublic(OSSL_LIB_CTX* library, const Bytes& der) {
  const unsigned char* at = der.data();
  return EvpPkeyPointer(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), library, nullptr));
}

// A key of the default provider, always the same for the same arguments: some take long to make.
inline EvpPkeyPointer PlainKey(const std::string& type, const std::string& option, int number) {
  static std::map<std::string, EvpPkeyPointer> keys;
  EvpPkeyPointer& key = keys[type + " " + option + " " + std::to_string(number)];
  if (!key) key = Generate(nullptr, type, option);
  if (key) EVP_PKEY_up_ref(key.get());
  return EvpPkeyPointer(key.get());
}

// One key pair, of the default provider and of the accelerator.
struct KeyPair {
  explicit KeyPair(const std::string& type, const std::string& option = "", int number = 0) {
    plain = PlainKey(type, option, number);
    REQUIRE(plain != nullptr);
    accelerated = LoadPrivate(Accelerated(), PrivateDer(plain.get()));
    REQUIRE(accelerated != nullptr);
    REQUIRE(IsAccelerated(EVP_PKEY_get0_provider(accelerated.get())));
    accelerated_public = LoadPublic(Accelerated(), PublicDer(plain.get()));
    REQUIRE(accelerated_public != nullptr);
    REQUIRE(IsAccelerated(EVP_PKEY_get0_provider(accelerated_public.get())));
  }

  EvpPkeyPointer plain;
  EvpPkeyPointer accelerated;
  EvpPkeyPointer accelerated_public;
};

// Library and reason of the errors in this thread's queue, which is empty afterwards.
inline std::vector<std::pair<int, int>> TakeErrors() {
  std::vector<std::pair<int, int>> errors;
  while (const unsigned long code = ERR_get_error()) errors.emplace_back(ERR_GET_LIB(code), ERR_GET_REASON(code));
  return errors;
}

}  // namespace openssl_async::testing
