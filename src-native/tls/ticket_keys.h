// Keys of session tickets, in Node's layout: name, HMAC key and AES key, 16 bytes each. They may change while
// connections use them on other threads.
#pragma once

#include <openssl/core_names.h>

#include <array>
#include <mutex>

#include "base/bytes.h"
#include "tls/pointers.h"

namespace openssl_async {

class TicketKeys {
 public:
  static constexpr size_t kPart = 16;
  static constexpr size_t kBytes = 3 * kPart;
  using Keys = std::array<unsigned char, kBytes>;

  TicketKeys() = default;
  ~TicketKeys() { Wipe(current_.data(), current_.size()); }
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Call it once, before the first use. False when OpenSSL lacks the cipher.
  [[nodiscard]] bool Prepare();
  // False when there is no randomness.
  [[nodiscard]] bool SetRandom();
  // kBytes bytes. Tickets of earlier keys are not accepted any more, as in Node.
  void Set(const unsigned char* keys);
  Keys Get() const;

  // OpenSSL's callback: encrypts a ticket, or finds the key of one.
  int Use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypts) const;

 private:
  EvpCipherPointer cipher_;  // looked for once: that takes longer than to use it
  mutable std::mutex mutex_;
  Keys current_ = {};
};

}  // namespace openssl_async
