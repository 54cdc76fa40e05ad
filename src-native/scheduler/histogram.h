// Durations in buckets of one eighth of a power of two: a percentile is at most 12.5 % off, a record costs a few
// cycles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace openssl_async {

class Histogram {
 public:
  void Record(uint64_t nanoseconds) {
    ++buckets_[BucketOf(nanoseconds)];
    ++count_;
    sum_ += nanoseconds;
    if (nanoseconds < min_ || count_ == 1) min_ = nanoseconds;
    if (nanoseconds > max_) max_ = nanoseconds;
  }

  uint64_t count() const { return count_; }
  uint64_t min() const { return min_; }
  uint64_t max() const { return max_; }
  double mean() const { return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_); }

  // `fraction` in 0..1; the upper edge of the bucket that holds it, within min() and max(). 0 without records.
  uint64_t Percentile(double fraction) const {
    const auto wanted = static_cast<uint64_t>(fraction * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += buckets_[bucket];
      if (seen > wanted || (seen == count_ && count_ != 0)) {
        const uint64_t edge = UpperEdge(bucket);
        return edge > max_ ? max_ : edge < min_ ? min_ : edge;
      }
    }
    return 0;
  }

 private:
  static constexpr unsigned kSubBits = 3;
  static constexpr size_t kBuckets = (65 - kSubBits) << kSubBits;

  static size_t BucketOf(uint64_t value) {
    if (value < (1U << kSubBits)) return static_cast<size_t>(value);
    const unsigned exponent = HighestBit(value) - kSubBits;
    return (static_cast<size_t>(exponent + 1) << kSubBits) + static_cast<size_t>((value >> exponent) & 7);
  }
  static unsigned HighestBit(uint64_t value) {
#if defined(__GNUC__)
    return 63U - static_cast<unsigned>(__builtin_clzll(value));
#else
    unsigned bit = 0;
    while (value >>= 1) ++bit;
    return bit;
#endif
  }
  static uint64_t UpperEdge(size_t bucket) {
    if (bucket < (1U << kSubBits)) return bucket;
    const unsigned exponent = static_cast<unsigned>(bucket >> kSubBits) - 1;
    const uint64_t base = (8 + (bucket & 7)) << exponent;
    return base + ((1ULL << exponent) - 1);
  }

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = 0;
  uint64_t max_ = 0;
};

}  // namespace openssl_async
