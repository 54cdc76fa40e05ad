// Requests to remote keys on threads that sleep until they have their answer, as where there are no jobs.
#include <openssl/err.h>

#include <atomic>
#include <thread>
#include <vector>

#include "remote/remote_requests.h"
#include "support.h"

namespace openssl_async::testing {

namespace {

class Loop final : public RemoteRequests::Delegate {
 public:
  void OnRemoteRequest() override {}
  void OnRemoteRequestElsewhere() override { calls.fetch_add(1); }
  uint32_t RunningJob() const override { return 7; }

  // Answers each request with its own bytes. Returns how many there were.
  size_t AnswerAll() {
    const std::vector<uint64_t> ids = requests->TakeNew();
    for (const uint64_t id : ids) {
      const auto taken = requests->Look(id);
      REQUIRE(taken.has_value());
      CHECK(taken->job == 7);
      requests->Answer(id, taken->question->bytes);
    }
    return ids.size();
  }
  RemoteHolder Holder() const {
    RemoteHolder holder;
    holder.requests = requests;
    holder.operations = 1;
    return holder;
  }

  std::atomic<unsigned> calls{0};
  const std::shared_ptr<RemoteRequests> requests = std::make_shared<RemoteRequests>(*this, true);
};

bool Echoes(const RemoteHolder& holder, unsigned char byte) {
  const unsigned char bytes[] = {byte, byte};
  RemoteQuestion question;
  question.bytes = {bytes, sizeof(bytes)};
  SecretBytes answer;
  return holder.Ask(question, &answer) && answer.size() == 2 && answer.data()[0] == byte && answer.data()[1] == byte;
}

}  // namespace

TEST_SUITE("threads that wait for remote keys") {
  TEST_CASE("each gets its own answer") {
    constexpr size_t kThreads = 8;
    constexpr size_t kTurns = 100;
    Loop loop;
    const RemoteHolder holder = loop.Holder();
    std::atomic<size_t> right{0};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (size_t turn = 0; turn < kTurns; ++turn) {
          if (Echoes(holder, static_cast<unsigned char>(i * kTurns + turn))) right.fetch_add(1);
        }
      });
    }
    size_t answered = 0;
    while (answered < kThreads * kTurns) {
      answered += loop.AnswerAll();
      std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == kThreads * kTurns);
    CHECK(loop.calls == kThreads * kTurns);
    CHECK(loop.requests->size() == 0);
  }

  TEST_CASE("all go on when the environment ends, and later ones do not begin to wait") {
    constexpr unsigned kThreads = 4;
    Loop loop;
    const RemoteHolder holder = loop.Holder();
    std::atomic<unsigned> failed{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        if (!Echoes(holder, 1)) failed.fetch_add(1);
        if (!Echoes(holder, 2)) failed.fetch_add(1);
      });
    }
    while (loop.calls < kThreads) std::this_thread::yield();
    loop.requests->Close();
    for (std::thread& thread : threads) thread.join();
    CHECK(failed == 2 * kThreads);
    CHECK(loop.calls == kThreads);
  }

  TEST_CASE("the loop's own thread cannot wait") {
    Loop loop;
    CHECK_FALSE(Echoes(loop.Holder(), 1));
    ERR_clear_error();
  }
}

}  // namespace openssl_async::testing
