// Tickets whose sessions may bring early data, each of them once: two hellos with one ticket cannot be told from a
// hello and its replay. A ticket carries a number and the name of whoever has given it, so other processes and other
// contexts refuse its early data, though they may resume its session. No clock counts. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/bytes.h"

namespace openssl_async {

class EarlyTickets {
 public:
  static constexpr size_t kNameBytes = 16;
  using Mark = std::array<unsigned char, kNameBytes + sizeof(uint64_t)>;
  // The newest tickets; older ones count as used. Their bits take 128 KiB, when there are so many.
  static constexpr uint64_t kMostTickets = uint64_t{1} << 20;

  // Call it once, before the first use. False when there is no randomness.
  [[nodiscard]] bool Prepare();
  // Of a new ticket.
  Mark Give();
  // Whether this is the first use of a mark that was given here.
  bool Use(ByteView mark);

 private:
  static constexpr uint64_t kBits = 64;
  uint64_t& WordOf(uint64_t number) { return used_[number % kMostTickets / kBits]; }
  static uint64_t BitOf(uint64_t number) { return uint64_t{1} << number % kBits; }

  std::array<unsigned char, kNameBytes> name_ = {};
  std::mutex mutex_;            // guards the rest
  uint64_t given_ = 0;          // the next ticket's number
  std::vector<uint64_t> used_;  // a bit for each of the newest tickets that were given
};

}  // namespace openssl_async
