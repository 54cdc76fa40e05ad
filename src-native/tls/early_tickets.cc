#include "tls/early_tickets.h"

#include <openssl/rand.h>

#include <cstring>

namespace openssl_async {

bool EarlyTickets::Prepare() { return RAND_bytes(name_.data(), static_cast<int>(name_.size())) == 1; }

EarlyTickets::Mark EarlyTickets::Give() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t number = given_++;
  if (const size_t word = number % kMostTickets / kBits; word >= used_.size()) used_.resize(word + 1);
  WordOf(number) &= ~BitOf(number);
  Mark mark;
  memcpy(mark.data(), name_.data(), kNameBytes);
  memcpy(mark.data() + kNameBytes, &number, sizeof number);
  return mark;
}

bool EarlyTickets::Use(ByteView mark) {
  if (mark.size != sizeof(Mark) || memcmp(mark.data, name_.data(), kNameBytes) != 0) return false;
  uint64_t number = 0;
  memcpy(&number, mark.data + kNameBytes, sizeof number);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (number >= given_ || given_ - number > kMostTickets) return false;
  uint64_t& word = WordOf(number);
  const bool is_used = (word & BitOf(number)) != 0;
  word |= BitOf(number);
  return !is_used;
}

}  // namespace openssl_async
