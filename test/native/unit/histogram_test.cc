#include "scheduler/histogram.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "support.h"

namespace openssl_async::testing {

namespace {

// The promise of Percentile(): the record at that rank, or at most 12.5 % more.
void CheckAgainstSorted(std::vector<uint64_t> values) {
  Histogram histogram;
  for (const uint64_t value : values) histogram.Record(value);
  std::sort(values.begin(), values.end());
  REQUIRE(histogram.count() == values.size());
  CHECK(histogram.min() == values.front());
  CHECK(histogram.max() == values.back());
  for (const double fraction : {0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(fraction);
    const auto rank = static_cast<size_t>(fraction * static_cast<double>(values.size()));
    const uint64_t exact = values[std::min(rank, values.size() - 1)];
    const uint64_t found = histogram.Percentile(fraction);
    CHECK(found >= exact);
    CHECK(found - exact <= exact / 8);
  }
}

}  // namespace

TEST_SUITE("histogram") {
  TEST_CASE("without records everything is 0") {
    const Histogram histogram;
    CHECK(histogram.count() == 0);
    CHECK(histogram.min() == 0);
    CHECK(histogram.max() == 0);
    CHECK(histogram.mean() == 0);
    CHECK(histogram.Percentile(0.5) == 0);
    CHECK(histogram.Percentile(1) == 0);
  }

  TEST_CASE("a single record is every percentile, exactly") {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{7}, uint64_t{8}, uint64_t{12345}, UINT64_MAX}) {
      CAPTURE(value);
      Histogram histogram;
      histogram.Record(value);
      CHECK(histogram.Percentile(0) == value);
      CHECK(histogram.Percentile(0.5) == value);
      CHECK(histogram.Percentile(1) == value);
    }
  }

  TEST_CASE("the mean is exact") {
    Histogram histogram;
    for (const uint64_t value : {1U, 2U, 3U, 1000U}) histogram.Record(value);
    CHECK(histogram.mean() == doctest::Approx(251.5));
  }

  TEST_CASE("percentiles are at most an eighth too high, at every power of two") {
    for (unsigned bit = 0; bit < 64; ++bit) {
      CAPTURE(bit);
      const uint64_t power = uint64_t{1} << bit;
      CheckAgainstSorted({power - 1, power, power + 1, power + power / 3});
    }
  }

  TEST_CASE("percentiles are at most an eighth too high, for records of many sizes") {
    std::mt19937_64 random(20260101);
    std::vector<uint64_t> values;
    for (int i = 0; i < 20'000; ++i) values.push_back(random() >> (random() % 64));
    CheckAgainstSorted(values);
    std::vector<uint64_t> narrow;
    for (int i = 0; i < 20'000; ++i) narrow.push_back(1'000'000 + random() % 1000);
    CheckAgainstSorted(narrow);
  }
}

}  // namespace openssl_async::testing
