#include <openssl/err.h>

#include <atomic>
#include <memory>
#include <thread>

#include "accelerator_support.h"
#include "pool/offload.h"
#include "pool/worker_pool.h"

namespace openssl_async::testing {

namespace {

constexpr OffloadClass kClass = OffloadClass::kKdf;

template <typename Work>
int OffloadIt(Work&& work) {
  return Offload(kClass, nullptr, work);
}

AcceleratorStats::Counts Counts() { return GetAcceleratorStats().of(kClass); }

}  // namespace

TEST_SUITE("accelerator: offload") {
  TEST_CASE("outside a job work runs where it was asked for") {
    const AcceleratorStats::Counts before = Counts();
    std::thread::id ran_on;
    CHECK(OffloadIt([&] {
            ran_on = std::this_thread::get_id();
            return 7;
          }) == 7);
    CHECK((ran_on == std::this_thread::get_id()));
    CHECK(Counts().inlined == before.inlined + 1);
    CHECK(Counts().offloaded == before.offloaded);
  }

  TEST_CASE("in a job work runs on another thread while the job is paused") {
    for (const Wait wait : {Wait::kFd, Wait::kCallback}) {
      WithJobs([&] {
        const AcceleratorStats::Counts before = Counts();
        std::thread::id ran_on;
        int result = 0;
        HandJob job([&] { result = OffloadIt([&] { return ran_on = std::this_thread::get_id(), 7; }); }, wait);
        job.RunToEnd();
        CHECK(job.pauses() == 1);
        CHECK(result == 7);
        CHECK((ran_on != std::this_thread::get_id()));
        CHECK(Counts().offloaded == before.offloaded + 1);
        CHECK(Counts().inlined == before.inlined);
      });
    }
  }

  TEST_CASE("a job that is resumed too early pauses again") {
    for (const Wait wait : {Wait::kFd, Wait::kCallback}) {
      WithJobs([&] {
        Gate gate;
        HandJob job([&] { OffloadIt([&] { return gate.Wait(), 1; }); }, wait);
        constexpr unsigned kEarly = 5;
        for (unsigned i = 0; i < kEarly; ++i) {
          CHECK(job.Step());
          std::this_thread::sleep_for(std::chrono::milliseconds(1));  // as an application that polls
        }
        CHECK_FALSE(job.told());
        gate.Open();
        job.AwaitWakeUp();
        CHECK_FALSE(job.Step());
        CHECK(job.pauses() == kEarly);
      });
    }
  }

  TEST_CASE("an application that does nothing but resume is served too") {
    WithJobs([] {
      std::atomic<bool> ran{false};
      HandJob job([&] {
        OffloadIt([&] {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          ran = true;
          return 1;
        });
        CHECK(ran);
      });
      while (job.Step()) {
      }
      CHECK(ran);
    });
  }

  TEST_CASE("where pauses are blocked the thread waits, and is not busy") {
    for (const Wait wait : {Wait::kFd, Wait::kCallback}) {
      WithJobs([&] {
        int result = 0;
        timespec before = {};
        timespec after = {};
        HandJob job(
            [&] {
              const auto offload = [] {
                return OffloadIt([] {
                  std::this_thread::sleep_for(std::chrono::milliseconds(100));
                  return 7;
                });
              };
              ASYNC_block_pause();
              offload();  // Valgrind takes long over code that it has not seen
              clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
              result = offload();
              clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
              ASYNC_unblock_pause();
            },
            wait);
        job.RunToEnd();
        CHECK(result == 7);
        CHECK(job.pauses() == 0);
        const int64_t busy_ns = (after.tv_sec - before.tv_sec) * 1'000'000'000 + after.tv_nsec - before.tv_nsec;
        CHECK(busy_ns < 50'000'000);
      });
    }
  }

  TEST_CASE("with a callback the status says that it will come, for as long as the job waits for it") {
    WithJobs([] {
      int status_after = -1;
      HandJob job([&] {
        OffloadIt([] { return 1; });
        status_after = ASYNC_WAIT_CTX_get_status(ASYNC_get_wait_ctx(ASYNC_get_current_job()));
      });
      ASYNC_WAIT_CTX_set_status(job.context(), ASYNC_STATUS_EAGAIN);
      REQUIRE(job.Step());
      CHECK(ASYNC_WAIT_CTX_get_status(job.context()) == ASYNC_STATUS_OK);
      CHECK(job.fd_count() == 0);
      job.AwaitWakeUp();
      CHECK_FALSE(job.Step());
      CHECK(status_after == ASYNC_STATUS_EAGAIN);
    });
  }

  TEST_CASE("without a callback one fd serves all pauses of a wait context") {
    WithJobs([] {
      HandJob job(
          [] {
            for (int i = 0; i < 3; ++i) OffloadIt([] { return 1; });
          },
          Wait::kFd);
      REQUIRE(job.Step());
      const WaitFd fd = job.fd();
      job.AwaitWakeUp();
      while (job.Step()) {
        CHECK(job.fd() == fd);
        job.AwaitWakeUp();
      }
      CHECK(job.pauses() == 3);
      CHECK(job.fd() == fd);
      CHECK_FALSE(job.fd_readable());
    });
  }

  TEST_CASE("a job does not end before its callback has returned") {
    WithJobs([] {
      // As an application whose callback is slow, and which frees what the callback uses when the job has finished.
      struct Slow {
        Gate called;
        std::atomic<bool> over{false};
        static int Call(void* argument) {
          auto* self = static_cast<Slow*>(argument);
          self->called.Open();
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          self->over = true;
          return 1;
        }
      };
      auto slow = std::make_unique<Slow>();
      bool over = false;
      HandJob job([&] {
        OffloadIt([] { return 1; });
        over = slow->over;
      });
      ASYNC_WAIT_CTX_set_callback(job.context(), Slow::Call, slow.get());
      REQUIRE(job.Step());
      slow->called.Wait();
      CHECK_FALSE(job.Step());
      CHECK(over);
      CHECK(job.pauses() == 1);
      slow.reset();
    });
  }

  TEST_CASE("errors that work raises are in the queue of the job's thread, in order") {
    WithJobs([] {
      std::vector<int> reasons;
      PausesOf([&] {
        OffloadIt([] {
          ERR_raise_data(ERR_LIB_USER, 101, "first");
          ERR_raise(ERR_LIB_USER, 102);
          return 0;
        });
        const char* data = nullptr;
        int flags = 0;
        reasons.push_back(ERR_GET_REASON(ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)));
        CHECK(std::string(data) == "first");
        reasons.push_back(ERR_GET_REASON(ERR_get_error()));
        reasons.push_back(ERR_GET_REASON(ERR_get_error()));
      });
      CHECK(reasons == std::vector<int>{101, 102, 0});
      // The pool's thread keeps none of it.
      unsigned long left = 1;
      PausesOf([&] { OffloadIt([&] { return left = ERR_peek_error(), 1; }); });
      CHECK(left == 0);
    });
  }

  TEST_CASE("many jobs wait at the same time") {
    for (const Wait wait : {Wait::kFd, Wait::kCallback}) {
      WithJobs([&] {
        constexpr int kJobs = 64;
        constexpr int kRounds = 20;
        std::vector<std::unique_ptr<HandJob>> jobs;
        std::vector<int> sums(kJobs);
        for (int i = 0; i < kJobs; ++i) {
          jobs.push_back(std::make_unique<HandJob>(
              [&sums, i] {
                for (int round = 0; round < kRounds; ++round) sums[i] += OffloadIt([&] { return i; });
              },
              wait));
        }
        size_t left = kJobs;
        for (auto& job : jobs) left -= job->Step() ? 0 : 1;
        while (left > 0) {
          for (auto& job : jobs) {
            if (job->finished()) continue;
            job->AwaitWakeUp();
            if (!job->Step()) --left;
          }
        }
        for (int i = 0; i < kJobs; ++i) {
          CHECK(sums[i] == i * kRounds);
          CHECK(jobs[i]->pauses() == kRounds);
        }
      });
    }
  }

  TEST_CASE("work that the pool refuses runs inline") {
    const bool as_expected = InForkedChild([] {
      WorkerPool::Options options;
      options.threads = 1;
      options.max_queued = 0;
      if (!WorkerPool::Get().Configure(options)) return false;
      const AcceleratorStats::Counts before = Counts();
      int result = 0;
      const unsigned pauses = PausesOf([&] { result = OffloadIt([] { return 7; }); });
      return result == 7 && pauses == 0 && Counts().refused == before.refused + 1 &&
             Counts().offloaded == before.offloaded;
    });
    CHECK(as_expected);
  }

  TEST_CASE("a job that is resumed in a forked child fails there, and ends in the parent") {
    WithJobs([] {
      Gate gate;
      int result = -1;
      HandJob job([&] { result = OffloadIt([&] { return gate.Wait(), 7; }); });
      REQUIRE(job.Step());
      const bool as_expected = InForkedChild([&] {
        const bool ended = !job.Step();
        return ended && result == 0 && ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_PROV;
      });
      CHECK(as_expected);
      gate.Open();
      job.RunToEnd();
      CHECK(result == 7);
    });
  }

  TEST_CASE("run times settle, and take no notice of a thread that was held up") {
    RunTime time;
    CHECK(time.expected_ns() == RunTime::kUnknown);
    time.Record(1000);
    CHECK(time.expected_ns() == 1000);
    time.Record(1'000'000'000);
    CHECK(time.expected_ns() < 1500);
    for (int i = 0; i < 100; ++i) time.Record(2000);
    CHECK(time.expected_ns() > 1900);
    CHECK(time.expected_ns() <= 2000);
    time.Record(0);
    CHECK(time.expected_ns() > 0);
  }
}

}  // namespace openssl_async::testing
