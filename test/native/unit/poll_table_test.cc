#include "wakeup/poll_table.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <optional>
#include <string>

#include "support.h"
#include "wakeup/wait_fd.h"
#include "wakeup/wait_signal.h"

namespace openssl_async::testing {

namespace {

class TestTable {
 public:
  TestTable() {
    int error = 0;
    table_.emplace(loop.get(), open_, &error);
    REQUIRE(error == 0);
  }
  PollTable* operator->() { return &*table_; }

 private:
  OpenHandles open_;

 public:
  TestLoop loop;

 private:
  std::optional<PollTable> table_;
};

struct Watch {
  explicit Watch(int fd) {
    watch.fd = fd;
    watch.target = &target;
  }
  size_t wakes() const { return target.kinds.size(); }
  FdWatch watch;
  RecordingTarget target;
};

std::string CodeOf(const Result<void>& result) { return result.ok() ? "" : result.error().code; }

int OpenRegularFile() {
  char name[] = "/tmp/openssl-async-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0);
  unlink(name);
  return fd;
}

}  // namespace

TEST_SUITE("poll table") {
  TEST_CASE("a readable fd wakes its target") {
    TestTable table;
    const Pipe pipe;
    Watch watch(pipe.fd());
    REQUIRE(table->Add(watch.watch).ok());
    REQUIRE(table->Arm(watch.watch) == 0);
    table.loop.Turn(3);
    CHECK(watch.wakes() == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > 0; }));
    CHECK(watch.target.kinds.front() == WakeKind::kFd);
    table->Remove(watch.watch);
    const size_t wakes = watch.wakes();
    table.loop.Turn(3);
    CHECK(watch.wakes() == wakes);
  }

  TEST_CASE("the other end's hang-up counts as readable") {
    TestTable table;
    Pipe pipe;
    Watch watch(pipe.fd());
    REQUIRE(table->Add(watch.watch).ok());
    REQUIRE(table->Arm(watch.watch) == 0);
    pipe.write_end.reset();
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > 0; }));
    table->Remove(watch.watch);
  }

  TEST_CASE("an fd that nobody wants is not told of again until it is armed") {
    TestTable table;
    const Pipe pipe;
    Watch watch(pipe.fd());
    watch.target.wanted = false;
    REQUIRE(table->Add(watch.watch).ok());
    REQUIRE(table->Arm(watch.watch) == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > 0; }));
    table.loop.Turn(20);
    CHECK(watch.wakes() <= 3);
    const size_t wakes = watch.wakes();
    REQUIRE(table->Arm(watch.watch) == 0);
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > wakes; }));
    table->Remove(watch.watch);
  }

  TEST_CASE("an fd that several share wakes all of them, until the last lets go") {
    TestTable table;
    const Pipe pipe;
    Watch first(pipe.fd());
    Watch second(pipe.fd());
    REQUIRE(table->Add(first.watch).ok());
    REQUIRE(table->Add(second.watch).ok());
    CHECK(first.watch.source == second.watch.source);
    REQUIRE(table->Arm(first.watch) == 0);
    REQUIRE(table->Arm(second.watch) == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return first.wakes() > 0 && second.wakes() > 0; }));
    table->Remove(first.watch);
    const size_t wakes = first.wakes();
    const size_t others = second.wakes();
    REQUIRE(table->Arm(second.watch) == 0);
    CHECK(table.loop.RunUntil([&] { return second.wakes() > others; }));
    CHECK(first.wakes() == wakes);
    table->Remove(second.watch);
  }

  TEST_CASE("a number that was closed and came back is watched as the new fd, whether removed before or after") {
    for (const bool close_first : {true, false}) {
      for (int round = 0; round < 20; ++round) {
        CAPTURE(close_first);
        TestTable table;
        UniqueFd fd(eventfd(0, EFD_CLOEXEC));
        const int number = fd.get();
        Watch old(number);
        REQUIRE(table->Add(old.watch).ok());
        REQUIRE(table->Arm(old.watch) == 0);
        table.loop.Turn();
        if (!close_first) table->Remove(old.watch);
        fd.reset();
        if (close_first) table->Remove(old.watch);
        fd = UniqueFd(eventfd(0, EFD_CLOEXEC));
        REQUIRE(fd.get() == number);
        Watch fresh(number);
        REQUIRE(table->Add(fresh.watch).ok());
        REQUIRE(table->Arm(fresh.watch) == 0);
        table.loop.Turn(2);
        CHECK(fresh.wakes() == 0);
        REQUIRE(eventfd_write(number, 1) == 0);
        CHECK(table.loop.RunUntil([&] { return fresh.wakes() > 0; }));
        CHECK(old.wakes() == 0);
        table->Remove(fresh.watch);
      }
    }
  }

  TEST_CASE("a number that came back while somebody else still watches the old fd is watched all the same") {
    TestTable table;
    UniqueFd fd(eventfd(0, EFD_CLOEXEC));
    const int number = fd.get();
    Watch old(number);
    REQUIRE(table->Add(old.watch).ok());
    REQUIRE(table->Arm(old.watch) == 0);
    table.loop.Turn();
    fd.reset();
    fd = UniqueFd(eventfd(0, EFD_CLOEXEC));
    REQUIRE(fd.get() == number);
    Watch fresh(number);
    REQUIRE(table->Add(fresh.watch).ok());
    REQUIRE(table->Arm(fresh.watch) == 0);
    REQUIRE(eventfd_write(number, 1) == 0);
    CHECK(table.loop.RunUntil([&] { return fresh.wakes() > 0; }));
    table->Remove(old.watch);
    table->Remove(fresh.watch);
  }

  TEST_CASE("an fd that cannot be armed any more is told of") {
    TestTable table;
    const Pipe pipe;
    Watch watch(pipe.fd());
    watch.target.wanted = false;
    REQUIRE(table->Add(watch.watch).ok());
    CHECK(table->Arm(watch.watch) == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > 0; }));
    table.loop.Turn(3);  // disarmed: nobody wanted it
    UniqueFd file(OpenRegularFile());
    const UniqueFd kept(dup(pipe.fd()));
    REQUIRE(dup2(file.get(), pipe.fd()) == pipe.fd());
    CHECK(table->Arm(watch.watch) == UV_EPERM);
    REQUIRE(dup2(kept.get(), pipe.fd()) == pipe.fd());
    CHECK(table->Arm(watch.watch) == 0);
    table->Remove(watch.watch);
  }

  TEST_CASE("an fd that something else in the loop polls can be watched") {
    TestTable table;
    const Pipe pipe;
    uv_poll_t other;
    REQUIRE(uv_poll_init(table.loop.get(), &other, pipe.fd()) == 0);
    int others = 0;
    other.data = &others;
    REQUIRE(uv_poll_start(&other, UV_READABLE, [](uv_poll_t* poll, int, int) { ++*static_cast<int*>(poll->data); }) ==
            0);
    Watch watch(pipe.fd());
    REQUIRE(table->Add(watch.watch).ok());
    REQUIRE(table->Arm(watch.watch) == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return watch.wakes() > 0 && others > 0; }));
    table->Remove(watch.watch);
    others = 0;
    CHECK(table.loop.RunUntil([&] { return others > 0; }));
    uv_close(reinterpret_cast<uv_handle_t*>(&other), nullptr);
    table.loop.Turn();
  }

  TEST_CASE("closed fds and regular files are refused, and leave nothing behind") {
    TestTable table;
    UniqueFd file(OpenRegularFile());
    Watch regular(file.get());
    CHECK(CodeOf(table->Add(regular.watch)) == "ERR_ASYNC_FD_NOT_POLLABLE");
    CHECK_FALSE(regular.watch.linked());
    const int number = file.get();
    file.reset();
    Watch closed(number);
    CHECK(CodeOf(table->Add(closed.watch)) == "ERR_ASYNC_INVALID_FD");
    const Pipe pipe;
    Watch good(pipe.fd());
    REQUIRE(table->Add(good.watch).ok());
    REQUIRE(table->Arm(good.watch) == 0);
    pipe.Wake();
    CHECK(table.loop.RunUntil([&] { return good.wakes() > 0; }));
    table->Remove(good.watch);
  }

  TEST_CASE("an fd that is closed while it is watched, of which a copy stays readable, does not keep the loop busy") {
    TestTable table;
    Pipe pipe;
    const UniqueFd copy(dup(pipe.fd()));
    const Pipe still_watched;
    Watch other(still_watched.fd());
    REQUIRE(table->Add(other.watch).ok());
    REQUIRE(table->Arm(other.watch) == 0);
    Watch watch(pipe.fd());
    REQUIRE(table->Add(watch.watch).ok());
    REQUIRE(table->Arm(watch.watch) == 0);
    pipe.Wake();
    pipe.read_end.reset();
    table->Remove(watch.watch);
    table.loop.Turn(3);
    // A loop with nothing to do waits for the timer.
    bool expired = false;
    uv_timer_t timer;
    uv_timer_init(table.loop.get(), &timer);
    timer.data = &expired;
    uv_timer_start(
        &timer, [](uv_timer_t* due) { *static_cast<bool*>(due->data) = true; }, 30, 0);
    int turns = 0;
    while (!expired) uv_run(table.loop.get(), UV_RUN_ONCE), ++turns;
    CHECK(turns < 10);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    table.loop.Turn();
    table->Remove(other.watch);
  }

  TEST_CASE("hundreds of fds are watched at once") {
    TestTable table;
    std::vector<std::unique_ptr<UniqueFd>> fds;
    std::vector<std::unique_ptr<Watch>> watches;
    for (int i = 0; i < 400; ++i) {
      fds.push_back(std::make_unique<UniqueFd>(eventfd(0, EFD_CLOEXEC)));
      watches.push_back(std::make_unique<Watch>(fds.back()->get()));
      REQUIRE(table->Add(watches.back()->watch).ok());
      REQUIRE(table->Arm(watches.back()->watch) == 0);
    }
    for (size_t i = 0; i < fds.size(); i += 2) REQUIRE(eventfd_write(fds[i]->get(), 1) == 0);
    const auto all_even = [&] {
      for (size_t i = 0; i < watches.size(); i += 2) {
        if (watches[i]->wakes() == 0) return false;
      }
      return true;
    };
    CHECK(table.loop.RunUntil(all_even));
    for (size_t i = 1; i < watches.size(); i += 2) CHECK(watches[i]->wakes() == 0);
    for (const auto& watch : watches) table->Remove(watch->watch);
  }
}

TEST_SUITE("wait fd") {
  TEST_CASE("open fds that can be polled pass, closed ones and regular files do not") {
    const Pipe pipe;
    CHECK(CheckWaitFd(pipe.fd()).ok());
    UniqueFd file(OpenRegularFile());
    CHECK(CodeOf(CheckWaitFd(file.get())) == "ERR_ASYNC_FD_NOT_POLLABLE");
    const UniqueFd directory(open("/tmp", O_RDONLY | O_CLOEXEC));
    CHECK(CodeOf(CheckWaitFd(directory.get())) == "ERR_ASYNC_FD_NOT_POLLABLE");
    const int number = file.get();
    file.reset();
    CHECK(CodeOf(CheckWaitFd(number)) == "ERR_ASYNC_INVALID_FD");
    CHECK(CodeOf(CheckWaitFd(-1)) == "ERR_ASYNC_INVALID_FD");
  }

  TEST_CASE("waiting without a loop tells the readable from the others, and a closed one is worth a look") {
    const Pipe quiet;
    const Pipe woken;
    woken.Wake();
    UniqueFd closed(eventfd(0, EFD_CLOEXEC));
    const int number = closed.get();
    closed.reset();
    CHECK(WaitReadable({quiet.fd(), woken.fd(), number}, 1000) == std::vector<bool>{false, true, true});
    CHECK(WaitReadable({quiet.fd()}, 1) == std::vector<bool>{false});
    CHECK(WaitReadable({}, 1).empty());
  }

  TEST_CASE("a signal is readable from the first wake to the clearing") {
    Result<std::unique_ptr<WaitSignal>> created = WaitSignal::Create();
    REQUIRE(created.ok());
    WaitSignal& signal = *created.value();
    CHECK_FALSE(signal.Clear());
    for (int i = 0; i < 100'000; ++i) signal.Wake();  // more than a pipe holds
    CHECK(WaitReadable({signal.fd()}, 1000) == std::vector<bool>{true});
    CHECK(signal.Clear());
    CHECK_FALSE(signal.Clear());
    CHECK(WaitReadable({signal.fd()}, 0) == std::vector<bool>{false});
  }
}

}  // namespace openssl_async::testing
