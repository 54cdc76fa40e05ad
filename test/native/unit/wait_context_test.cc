#include "job/wait_context.h"

#include <algorithm>

#include "support.h"

namespace openssl_async::testing {

namespace {

using Fds = std::vector<WaitFd>;

Fds Sorted(Fds fds) {
  std::sort(fds.begin(), fds.end());
  return fds;
}

// One command of a job, then a pause.
struct Step {
  enum Kind { kSet, kClear, kNothing } kind;
  uintptr_t key = 0;
  WaitFd fd = 0;
};

struct Script {
  WaitContext* context = nullptr;
  std::vector<std::vector<Step>> rounds;
};

int RunScript(void* argument) {
  auto* script = static_cast<Script*>(argument);
  for (const std::vector<Step>& round : script->rounds) {
    for (const Step& step : round) {
      if (step.kind == Step::kSet) script->context->SetFd(step.key, step.fd, false);
      if (step.kind == Step::kClear) script->context->ClearFd(step.key);
    }
    ASYNC_pause_job();
  }
  return 1;
}

}  // namespace

TEST_SUITE("wait context") {
  TEST_CASE("fds are set, found, changed and cleared by key") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    WaitFd fd = -1;
    CHECK_FALSE(context->GetFd(1, &fd));
    CHECK(context->Fds().empty());
    CHECK(context->SetFd(1, 10, false));
    CHECK(context->SetFd(2, 20, false));
    CHECK(context->GetFd(1, &fd));
    CHECK(fd == 10);
    CHECK(Sorted(context->Fds()) == Fds{10, 20});
    CHECK(Sorted(context->ChangedFds().added) == Fds{10, 20});
    CHECK(context->HasChangedFds());
    CHECK(context->ClearFd(1));
    CHECK_FALSE(context->ClearFd(1));
    CHECK(context->Fds() == Fds{20});
    CHECK(context->ChangedFds().added == Fds{20});
    CHECK(context->ChangedFds().removed.empty());
  }

  TEST_CASE("changes are those since the pause before") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    Script script{context.get(),
                  {{{Step::kSet, 1, 10}, {Step::kSet, 2, 20}}, {}, {{Step::kClear, 1}, {Step::kSet, 3, 30}}}};
    Job job;
    job.Prepare(context.get(), &RunScript, &script, Job::BlockCheck::kAtEnd);
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    CHECK(Sorted(context->ChangedFds().added) == Fds{10, 20});
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    CHECK_FALSE(context->HasChangedFds());
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    CHECK(context->ChangedFds().added == Fds{30});
    CHECK(context->ChangedFds().removed == Fds{10});
    CHECK(Sorted(context->Fds()) == Fds{20, 30});
    CHECK(RunOnce(job) == JobStatus::kFinish);
  }

  TEST_CASE("changes before an internal pause are carried over to the next one that counts") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    Script script{context.get(),
                  {{{Step::kSet, 1, 10}}, {{Step::kSet, 2, 20}, {Step::kClear, 1}}, {{Step::kSet, 3, 30}}, {}}};
    Job job;
    job.Prepare(context.get(), &RunScript, &script, Job::BlockCheck::kAtEnd);
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    context->NoteInternalPause();
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    context->NoteInternalPause();
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    // 10 came and went unseen: no change at all.
    CHECK(Sorted(context->ChangedFds().added) == Fds{20, 30});
    CHECK(context->ChangedFds().removed.empty());
    context->ForgetInternalPauses();
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    CHECK_FALSE(context->HasChangedFds());
    CHECK(context->ChangedFds().added.empty());
    CHECK(RunOnce(job) == JobStatus::kFinish);
  }

  TEST_CASE("an fd that went and came back between internal pauses is removed and added") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    Script script{context.get(), {{{Step::kSet, 1, 10}}, {{Step::kClear, 1}}, {{Step::kSet, 2, 10}}}};
    Job job;
    job.Prepare(context.get(), &RunScript, &script, Job::BlockCheck::kAtEnd);
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    context->NoteInternalPause();
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    CHECK(context->ChangedFds().removed == Fds{10});
    CHECK(context->ChangedFds().added == Fds{10});
    CHECK(RunOnce(job) == JobStatus::kFinish);
  }

  TEST_CASE("closing returns the fds whose clean-up was asked for, and calls engines' own routines") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    CHECK(context->SetFd(1, 10, true));
    CHECK(context->SetFd(2, 20, false));
    CHECK(context->SetFd(3, 30, true));
    CHECK(context->ClearFd(3));
    static int closed_fd = -1;
    ASYNC_WAIT_CTX_set_wait_fd(context->get(), &closed_fd, 40, nullptr,
                               [](ASYNC_WAIT_CTX*, const void*, WaitFd fd, void*) { closed_fd = fd; });
    CHECK_FALSE(context->closed());
    const std::vector<FdCleanup> due = context->Close();
    CHECK(context->closed());
    REQUIRE(due.size() == 1);
    CHECK(due[0].key == 1);
    CHECK(due[0].fd == 10);
    CHECK(closed_fd == 40);
    CHECK(context->Close().empty());
    CHECK(context->Fds().empty());
    CHECK(context->ChangedFds().added.empty());
  }

  TEST_CASE("status and callback are the ASYNC_WAIT_CTX's") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    CHECK(context->status() == ASYNC_STATUS_UNSUPPORTED);
    context->set_status(ASYNC_STATUS_EAGAIN);
    CHECK(ASYNC_WAIT_CTX_get_status(context->get()) == ASYNC_STATUS_EAGAIN);
    int argument = 0;
    context->SetCallback([](void* called) { return ++*static_cast<int*>(called); }, &argument);
    ASYNC_callback_fn callback = nullptr;
    void* found = nullptr;
    REQUIRE(ASYNC_WAIT_CTX_get_callback(context->get(), &callback, &found) == 1);
    callback(found);
    CHECK(argument == 1);
  }
}

}  // namespace openssl_async::testing
