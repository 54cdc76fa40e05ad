// Those who hold keys that are being made: OpenSSL takes nothing but plain values as the parameters of a key.
#pragma once

#include <cstdint>
#include <memory>

#include "remote/remote_requests.h"

namespace openssl_async {

// The parameter that names the holder of a new key, a uint64_t.
constexpr char kHolderParam[] = "remote-holder";

// Lends a holder for the time of its life. Any thread.
class HolderTicket {
 public:
  explicit HolderTicket(std::shared_ptr<const RemoteHolder> holder);
  ~HolderTicket();
  HolderTicket(const HolderTicket&) = delete;
  HolderTicket& operator=(const HolderTicket&) = delete;

  uint64_t* number() { return &number_; }
  // Null when nobody lends it.
  static std::shared_ptr<const RemoteHolder> Find(uint64_t number);

 private:
  uint64_t number_;
};

}  // namespace openssl_async
