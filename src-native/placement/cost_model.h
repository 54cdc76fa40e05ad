// The measured costs of operations, which decide where an operation runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace openssl_async {

// An estimate that follows measurements: quickly downwards, slowly upwards, since other work on the machine can only
// add to a duration.
class CostEstimate {
 public:
  void Add(uint64_t value) {
    const double sample = static_cast<double>(value);
    if (!known_) {
      estimate_ = sample;
      known_ = true;
    } else {
      estimate_ += (sample - estimate_) / (sample < estimate_ ? 2 : 16);
    }
  }
  bool known() const { return known_; }
  uint64_t value() const { return static_cast<uint64_t>(estimate_); }

 private:
  double estimate_ = 0;
  bool known_ = false;
};

// The cost of one algorithm, by the binary order of magnitude of its data.
class CostBySize {
 public:
  static constexpr uint64_t kUnknown = UINT32_MAX;

  void Record(size_t bytes, uint64_t nanoseconds) { estimates_[BucketOf(bytes)].Add(nanoseconds); }
  uint64_t Expect(size_t bytes) const {
    const CostEstimate& estimate = estimates_[BucketOf(bytes)];
    return estimate.known() ? estimate.value() : kUnknown;
  }

 private:
  static constexpr size_t kBuckets = 40;

  static size_t BucketOf(size_t bytes) {
    size_t bucket = 0;
    while (bytes > 0 && bucket + 1 < kBuckets) bytes >>= 1, ++bucket;
    return bucket;
  }

  std::array<CostEstimate, kBuckets> estimates_ = {};
};

}  // namespace openssl_async
