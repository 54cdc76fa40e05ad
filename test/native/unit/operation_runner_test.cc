#include "placement/operation_runner.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "support.h"

namespace openssl_async::testing {

namespace {

// Gives back its input; counts; can be made to wait, to fail or to pause.
class EchoSpec final : public OperationSpec {
 public:
  bool Run(Operation& operation) override {
    ++runs;
    thread = std::this_thread::get_id();
    if (wait_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns));
    {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [this] { return !held; });
    }
    for (int i = 0; i < pauses; ++i) ASYNC_pause_job();
    if (fails) {
      ERR_raise(ERR_LIB_USER, 1);
      return false;
    }
    const ByteView input = operation.input(0);
    unsigned char* output = operation.Reserve(0, input.size);
    if (input.size > 0) memcpy(output, input.data, input.size);
    operation.set_value(operation.number(0) == operation.number(0) ? operation.integer(0) : 0);
    return true;
  }

  void LetGo() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      held = false;
    }
    changed.notify_all();
  }

  std::atomic<int> runs{0};
  std::atomic<std::thread::id> thread{};
  uint64_t wait_ns = 0;
  int pauses = 0;
  bool fails = false;
  bool held = false;
  std::mutex mutex;
  std::condition_variable changed;
};

struct End {
  JobId id;
  bool ok;
  enum Place place;
  uint32_t pauses;
  std::string output;
  std::string error;
};

class TestRunner final : private OperationRunner::Delegate {
 public:
  TestRunner() {
    Result<std::unique_ptr<Scheduler>> scheduler = Scheduler::Create(loop.get());
    REQUIRE(scheduler.ok());
    scheduler_ = std::move(scheduler.value());
    Result<std::unique_ptr<OperationRunner>> created = OperationRunner::Create(loop.get(), *scheduler_, *this);
    REQUIRE(created.ok());
    runner_ = std::move(created.value());
  }
  ~TestRunner() { Close(); }

  void Close() {
    if (!runner_) return;
    scheduler_->Drain(5000);
    bool closed = false;
    runner_->Close([&] { scheduler_->Close([&] { closed = true; }); });
    CHECK(loop.RunUntil([&] { return closed; }));
    runner_.reset();
    scheduler_.reset();
  }

  OperationRunner& operator*() { return *runner_; }
  OperationRunner* operator->() { return runner_.get(); }

  OperationRunner::Submission Submit(JobId id, Mode mode, const PlacedSpec& spec, const std::string& text) {
    const ByteView input = {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
    const double number = id;
    const OperationRunner::Submission submission = runner_->Submit(id, mode, spec, &input, 1, &number, 1);
    if (submission == OperationRunner::Submission::kInline) Record(*runner_->Find(id));
    return submission;
  }
  bool RunUntilEnded(size_t count) {
    return loop.RunUntil([&] { return ends.size() >= count; });
  }

  TestLoop loop;
  std::vector<End> ends;
  std::vector<std::pair<JobId, size_t>> over;  // ids of AwaitEnds(), and how many calls had been told by then
  std::function<void()> before_telling;        // as user code may run between the results of one delivery

 private:
  void OnOperations(OperationCall* const* calls, size_t count) override {
    if (before_telling) before_telling();
    for (size_t i = 0; i < count; ++i) Record(*calls[i]);
  }
  void OnEnds(JobId id) override { over.push_back({id, ends.size()}); }
  void Record(OperationCall& call) {
    Operation& operation = call.operation();
    const SecretBytes& output = operation.output(0);
    ends.push_back({call.id(), operation.ok(), call.place(), call.pauses(),
                    std::string(reinterpret_cast<const char*>(output.data()), output.size()),
                    operation.ok() ? "" : operation.error().code});
    runner_->Release(call);
  }

  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<OperationRunner> runner_;
};

using Submission = OperationRunner::Submission;

}  // namespace

TEST_SUITE("operation runner") {
  TEST_CASE("runs inline calls within the call") {
    TestRunner runner;
    auto echo = std::make_shared<EchoSpec>();
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    CHECK(runner.Submit(1, Mode::kInline, spec, "hello") == Submission::kInline);
    REQUIRE(runner.ends.size() == 1);
    CHECK(runner.ends[0].output == "hello");
    CHECK((echo->thread.load() == std::this_thread::get_id()));
    CHECK(spec.stats->counts.inlined == 1);
  }

  TEST_CASE("runs offloaded calls on another thread, and tells their ends on the loop") {
    TestRunner runner;
    auto echo = std::make_shared<EchoSpec>();
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    std::string text(100'000, 'x');
    CHECK(runner.Submit(7, Mode::kOffload, spec, text) == Submission::kQueued);
    text.assign(text.size(), 'y');  // it has a copy
    CHECK(runner->in_flight() == 1);
    REQUIRE(runner.RunUntilEnded(1));
    CHECK(runner.ends[0].output == std::string(100'000, 'x'));
    CHECK(runner.ends[0].place == Place::kPool);
    CHECK((echo->thread.load() != std::this_thread::get_id()));
    CHECK(runner->in_flight() == 0);
  }

  TEST_CASE("learns to run inline the calls that are cheaper than a hop, and others elsewhere") {
    TestRunner runner;
    auto cheap = std::make_shared<EchoSpec>();
    auto dear = std::make_shared<EchoSpec>();
    dear->wait_ns = 2'000'000;
    const PlacedSpec cheap_spec = runner->Adopt(cheap, "cheap");
    const PlacedSpec dear_spec = runner->Adopt(dear, "dear");
    for (size_t i = 0; i < 20; ++i) {
      runner.Submit(1, Mode::kAuto, cheap_spec, "x");
      runner.Submit(2, Mode::kAuto, dear_spec, "x");
      REQUIRE(runner.RunUntilEnded(2 * (i + 1)));
    }
    CHECK(cheap_spec.stats->counts.inlined >= 10);
    CHECK(dear_spec.stats->counts.inlined == 0);
  }

  TEST_CASE("does not take a call for the only one while several ends are told") {
    auto pausing = std::make_shared<EchoSpec>();
    pausing->set_may_pause(true);
    auto echo = std::make_shared<EchoSpec>();
    const auto place_of_next_call = [&](size_t ends_told) {
      TestRunner runner;
      const PlacedSpec job = runner->Adopt(pausing, "job");
      const PlacedSpec next = runner->Adopt(echo, "next");
      next.stats->cost.Record(1, 10'000);  // less than the hop of a call alone, more than that of one among others
      constexpr JobId kNext = 9;
      runner.before_telling = [&] {
        runner.before_telling = nullptr;
        runner.Submit(kNext, Mode::kAuto, next, "x");
      };
      for (JobId id = 0; id < ends_told; ++id) runner.Submit(id, Mode::kAuto, job, "x");
      REQUIRE(runner.RunUntilEnded(ends_told + 1));
      const auto is_next = [](const End& end) { return end.id == kNext; };
      return std::find_if(runner.ends.begin(), runner.ends.end(), is_next)->place;
    };
    CHECK(place_of_next_call(1) == Place::kInline);
    CHECK(place_of_next_call(2) == Place::kPool);
  }

  TEST_CASE("leaves calls that would hold the loop for too long to its later turns") {
    TestRunner runner;
    OperationRunner::Options options;
    options.max_inline_ns = 1'000'000;
    runner->Configure(options);
    auto echo = std::make_shared<EchoSpec>();
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    spec.stats->cost.Record(1, 400'000);
    echo->wait_ns = 400'000;
    size_t queued = 0;
    constexpr int kCalls = 6;
    size_t total = 0;
    for (JobId id = 0; id < kCalls; ++id) {
      if (runner.Submit(id, Mode::kAuto, spec, "x") == Submission::kQueued) ++queued;
      ++total;
    }
    CHECK(queued > 0);
    REQUIRE(runner.RunUntilEnded(total));
    CHECK(runner.ends.size() == kCalls);
  }

  TEST_CASE("runs calls that may pause in a job") {
    TestRunner runner;
    auto echo = std::make_shared<EchoSpec>();
    echo->set_may_pause(true);
    echo->pauses = 3;
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    for (JobId id = 0; id < 100; ++id) {
      CHECK(runner.Submit(id, Mode::kAuto, spec, std::to_string(id)) == Submission::kQueued);
    }
    REQUIRE(runner.RunUntilEnded(100));
    for (const End& end : runner.ends) {
      CHECK(end.ok);
      CHECK(end.output == std::to_string(end.id));
      CHECK(end.place == Place::kJob);
      CHECK(end.pauses == 3);
    }
    CHECK(spec.stats->counts.paused == 100);
    CHECK(spec.stats->counts.pauses == 300);
  }

  TEST_CASE("tells failures, wherever they happen") {
    TestRunner runner;
    auto failing = std::make_shared<EchoSpec>();
    failing->fails = true;
    const PlacedSpec spec = runner->Adopt(failing, "failing");
    runner.Submit(1, Mode::kInline, spec, "x");
    runner.Submit(2, Mode::kOffload, spec, "x");
    auto in_job = std::make_shared<EchoSpec>();
    in_job->fails = true;
    in_job->set_may_pause(true);
    runner.Submit(3, Mode::kAuto, runner->Adopt(in_job, "failing"), "x");
    REQUIRE(runner.RunUntilEnded(3));
    for (const End& end : runner.ends) CHECK(end.error == "ERR_CRYPTO_OPERATION_FAILED");
    CHECK(spec.stats->counts.failed == 3);
    CHECK(ERR_peek_error() == 0);
  }

  TEST_CASE("tries the fallback of a failed call") {
    TestRunner runner;
    auto failing = std::make_shared<EchoSpec>();
    auto software = std::make_shared<EchoSpec>();
    failing->fails = true;
    failing->pauses = 1;
    failing->set_may_pause(true);
    failing->set_fallback(software);
    const PlacedSpec spec = runner->Adopt(failing, "echo");
    runner.Submit(1, Mode::kAuto, spec, "hello");
    REQUIRE(runner.RunUntilEnded(1));
    CHECK(runner.ends[0].ok);
    CHECK(runner.ends[0].output == "hello");
    CHECK(runner.ends[0].place == Place::kPool);
    CHECK(failing->runs == 1);
    CHECK(software->runs == 1);
    CHECK(spec.stats->counts.fallbacks == 1);
  }

  TEST_CASE("refuses more than may be in flight, without effect") {
    TestRunner runner;
    OperationRunner::Options options;
    options.max_in_flight = 2;
    runner->Configure(options);
    auto echo = std::make_shared<EchoSpec>();
    echo->held = true;
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    CHECK(runner.Submit(1, Mode::kOffload, spec, "a") == Submission::kQueued);
    CHECK(runner.Submit(2, Mode::kOffload, spec, "b") == Submission::kQueued);
    CHECK(runner.Submit(3, Mode::kOffload, spec, "c") == Submission::kFull);
    CHECK(runner->Find(3) == nullptr);
    CHECK(spec.stats->counts.refused == 1);
    echo->LetGo();
    CHECK(runner.RunUntilEnded(2));
  }

  TEST_CASE("forgets calls abandoned before they began, and keeps quiet about the rest") {
    TestRunner runner;
    auto echo = std::make_shared<EchoSpec>();
    echo->held = true;
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    constexpr JobId kCalls = 50;
    for (JobId id = 0; id < kCalls; ++id) runner.Submit(id, Mode::kOffload, spec, "x");
    size_t forgotten = 0;
    for (JobId id = 0; id < kCalls; ++id) {
      if (runner->Abandon(id)) ++forgotten;
    }
    CHECK(forgotten > 0);
    CHECK(uv_loop_alive(runner.loop.get()) == 0);
    echo->LetGo();
    REQUIRE(runner.loop.RunUntil([&] { return runner->in_flight() == 0; }));
    CHECK(spec.stats->counts.abandoned == kCalls);
    CHECK(static_cast<size_t>(echo->runs.load()) == kCalls - forgotten);
  }

  TEST_CASE("takes calls that are abandoned while their ends are being told for what they are: over") {
    TestRunner runner;
    auto echo = std::make_shared<EchoSpec>();
    const PlacedSpec spec = runner->Adopt(echo, "echo");
    runner.before_telling = [&] { CHECK_FALSE(runner->Abandon(1)); };
    runner.Submit(1, Mode::kOffload, spec, "x");
    REQUIRE(runner.RunUntilEnded(1));
    runner.before_telling = nullptr;
    CHECK(uv_loop_alive(runner.loop.get()) == 0);
    echo->held = true;
    runner.Submit(2, Mode::kOffload, spec, "x");
    CHECK(uv_loop_alive(runner.loop.get()) == 1);
    echo->LetGo();
    REQUIRE(runner.RunUntilEnded(2));
    CHECK(uv_loop_alive(runner.loop.get()) == 0);
  }

  TEST_CASE("tells that the calls in flight are over once they were told, whatever began meanwhile") {
    TestRunner runner;
    auto first = std::make_shared<EchoSpec>();
    auto second = std::make_shared<EchoSpec>();
    first->held = second->held = true;
    const PlacedSpec first_spec = runner->Adopt(first, "first");
    const PlacedSpec second_spec = runner->Adopt(second, "second");
    CHECK_FALSE(runner->AwaitEnds(8));
    runner.Submit(1, Mode::kOffload, first_spec, "x");
    CHECK(runner->AwaitEnds(9));
    runner.Submit(2, Mode::kOffload, second_spec, "x");
    runner->Abandon(1);  // or it is running
    first->LetGo();
    REQUIRE(runner.loop.RunUntil([&] { return !runner.over.empty(); }));
    CHECK(runner.over[0].first == 9);
    CHECK(runner->in_flight() == 1);
    CHECK(uv_loop_alive(runner.loop.get()) == 1);
    second->LetGo();
    REQUIRE(runner.loop.RunUntil([&] { return runner->idle(); }));
    CHECK(runner.over.size() == 1);
    CHECK(uv_loop_alive(runner.loop.get()) == 0);
  }

  TEST_CASE("may be closed while operations run, which then end unheard") {
    auto echo = std::make_shared<EchoSpec>();
    echo->held = true;
    auto pausing = std::make_shared<EchoSpec>();
    pausing->set_may_pause(true);
    pausing->pauses = 2;
    {
      TestRunner runner;
      const PlacedSpec spec = runner->Adopt(echo, "echo");
      const PlacedSpec job_spec = runner->Adopt(pausing, "pausing");
      for (JobId id = 0; id < 100; ++id) runner.Submit(id, Mode::kOffload, spec, "x");
      for (JobId id = 100; id < 200; ++id) runner.Submit(id, Mode::kAuto, job_spec, "x");
      runner.loop.Turn();
      for (JobId id = 200; id < 300; ++id) runner.Submit(id, Mode::kAuto, job_spec, "x");  // these do not begin
      runner.Close();
      CHECK(runner.ends.empty());
    }
    echo->LetGo();
    while (echo.use_count() > 1) std::this_thread::yield();  // the pool has freed its calls
  }
}

}  // namespace openssl_async::testing
