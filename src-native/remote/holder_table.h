// Holders of keys that are being made. OpenSSL takes only plain values as a key's parameters, so a number stands for
// the holder.
#pragma once

#include <cstdint>
#include <memory>

#include "remote/remote_requests.h"

namespace openssl_async {

// The parameter that names the holder of a new key, a uint64_t.
constexpr char kHolderParam[] = "remote-holder";

// Makes a holder findable for as long as the ticket lives. Any thread.
class HolderTicket {
 public:
  explicit HolderTicket(std::shared_ptr<const RemoteHolder> holder);
  ~HolderTicket();
  HolderTicket(const HolderTicket&) = delete;
  HolderTicket& operator=(const HolderTicket&) = delete;

  uint64_t* number() { return &number_; }
  // Null when no ticket has this number.
  static std::shared_ptr<const RemoteHolder> Find(uint64_t number);

 private:
  uint64_t number_;
};

}  // namespace openssl_async
