#include "tls/ticket_keys.h"

#include <openssl/rand.h>

namespace openssl_async {

bool TicketKeys::Prepare() {
  cipher_.reset(EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr));
  return cipher_ != nullptr;
}

bool TicketKeys::SetRandom() {
  Keys keys = {};
  if (RAND_bytes(keys.data(), static_cast<int>(keys.size())) != 1) return false;
  Set(keys.data());
  Wipe(keys.data(), keys.size());
  return true;
}

void TicketKeys::Set(const unsigned char* keys) {
  const std::lock_guard<std::mutex> lock(mutex_);
  memcpy(current_.data(), keys, current_.size());
}

TicketKeys::Keys TicketKeys::Get() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

int TicketKeys::Use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    int encrypts) const {
  constexpr int kFailed = -1;
  constexpr int kUnknown = 0;
  constexpr int kUsed = 1;
  Keys keys = Get();
  unsigned char* const mac_key = keys.data() + kPart;
  const unsigned char* const cipher_key = keys.data() + 2 * kPart;
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, kPart),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const auto begin = [&] {
    if (encrypts == 0) {
      if (memcmp(name, keys.data(), kPart) != 0) return kUnknown;
    } else {
      memcpy(name, keys.data(), kPart);
      if (RAND_bytes(iv, static_cast<int>(kPart)) != 1) return kFailed;
    }
    if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return kFailed;
    return EVP_CipherInit_ex2(cipher, cipher_.get(), cipher_key, iv, encrypts, nullptr) == 1 ? kUsed : kFailed;
  };
  const int result = begin();
  Wipe(keys.data(), keys.size());
  return result;
}

}  // namespace openssl_async
