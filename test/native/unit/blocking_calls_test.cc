#include "placement/blocking_calls.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace openssl_async::testing {

TEST_SUITE("threads: blocking calls") {
  TEST_CASE("the end waits for those that have begun, and none begins afterwards") {
    BlockingCalls calls;
    REQUIRE(calls.Begin());
    REQUIRE(calls.Begin());
    std::atomic<bool> closed = false;
    std::thread closer([&] {
      calls.Close();
      closed = true;
    });
    while (calls.Begin()) calls.End();  // until it is closing
    CHECK(!closed);
    calls.End();
    CHECK(!closed);
    calls.End();
    closer.join();
    CHECK(closed);
    CHECK(!calls.Begin());
    calls.Close();
  }

  TEST_CASE("the end does not wait when none has begun") {
    BlockingCalls calls;
    calls.Close();
    CHECK(!calls.Begin());
  }
}

}  // namespace openssl_async::testing
