#include "job/copies.h"

#include "support.h"

namespace openssl_async::testing {

TEST_CASE("a registry is used by all copies that can read it") {
  SharedRegistry other = {};
  other.magic = Copies::kMagic;
  other.version = other.compatible = Copies::kVersion;
  other.size = sizeof(other);
  CHECK(Copies::Usable(&other) == &other);

  SUBCASE("a newer one that has grown") {
    other.version = Copies::kVersion + 5;
    other.size += 64;
    CHECK(Copies::Usable(&other) == &other);
  }
  SUBCASE("not one that is newer and laid out otherwise") {
    other.version = other.compatible = Copies::kVersion + 5;
    CHECK(Copies::Usable(&other) == nullptr);
  }
  SUBCASE("not what somebody else has put there") {
    other.magic = 1;
    CHECK(Copies::Usable(&other) == nullptr);
  }
}

TEST_CASE("a thread's pool is kept while a copy has jobs in it") {
  if (JobThread::Current().live_of_all() != 0) return;
  SharedThread& thread = *Copies::Registry().thread();
  SharedCopy copy = {sizeof(copy), nullptr, "/elsewhere/openssl_async.node"};
  SharedThreadPart part = {sizeof(part), thread.parts, &copy, 2};
  thread.parts = &part;

  const Result<void> refused = JobThread::Current().Cleanup();
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string(refused.error().code) == "ERR_ASYNC_JOBS_OUTSTANDING");
  CHECK(refused.error().message.find("2 jobs") == 0);
  CHECK(refused.error().message.find(copy.path) != std::string::npos);

  part.live = 0;
  CHECK(JobThread::Current().Cleanup().ok());
  thread.parts = part.next;
}

TEST_CASE("the copy itself is among the copies") {
  CHECK_FALSE(Copies::unknown());
  REQUIRE(Copies::Paths().size() == 1);
  CHECK(Copies::Paths()[0] == Copies::Own().path);
}

}  // namespace openssl_async::testing
