#include "job/job.h"

#include <openssl/err.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "job/job_thread.h"
#include "support.h"

namespace openssl_async::testing {

namespace {

int Pause(void* times) {
  for (int i = *static_cast<int*>(times); i > 0; --i) ASYNC_pause_job();
  return 42;
}

int LeaveBlocked(void* times) {
  for (int i = *static_cast<int*>(times); i > 0; --i) ASYNC_block_pause();
  return 1;
}

int Throw(void* what) {
  if (what == nullptr) throw 5;
  throw std::runtime_error(static_cast<const char*>(what));
}

// A number of pauses, with an error of one's own raised and errno set at each.
struct Isolated {
  int tag = 0;
  int pauses = 0;
  int faults = 0;
};

int RaiseAndPause(void* argument) {
  auto* self = static_cast<Isolated*>(argument);
  for (int i = 1; i <= self->pauses; ++i) {
    ERR_raise(ERR_LIB_USER, self->tag + i);
    errno = self->tag + i;
    ASYNC_pause_job();
    if (errno != self->tag + i) ++self->faults;
    if (ERR_GET_REASON(ERR_peek_last_error()) != self->tag + i) ++self->faults;
    if (ERR_GET_REASON(ERR_peek_error()) != self->tag + 1) ++self->faults;
  }
  return 1;
}

struct FromInside {
  Job* other = nullptr;
  const char* start_code = "";
  const char* cleanup_code = "";
  bool inside = false;
};

int TryToNest(void* argument) {
  auto* self = static_cast<FromInside*>(argument);
  JobThread& thread = JobThread::Current();
  self->inside = thread.InsideJob();
  // Results own strings: nothing of this is for a stack that pauses, but this one does not.
  self->start_code = self->other->CheckMayRun().error().code;
  self->cleanup_code = thread.Cleanup().error().code;
  return 1;
}

JobStatus RunToEnd(Job& job) {
  JobStatus status = RunOnce(job);
  while (status == JobStatus::kPause) status = RunOnce(job);
  return status;
}

std::string CodeOf(const Result<void>& result) { return result.ok() ? "" : result.error().code; }

}  // namespace

TEST_SUITE("job") {
  TEST_CASE("a job pauses, resumes and finishes with what its function returned") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    int times = 2;
    Job job;
    job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kAtEnd);
    const size_t live = JobThread::Current().live();
    CHECK_FALSE(job.paused());
    CHECK(RunOnce(job) == JobStatus::kPause);
    CHECK(job.paused());
    CHECK(context->job() == &job);
    CHECK(JobThread::Current().live() == live + 1);
    CHECK(CodeOf(job.CheckMayRun()).empty());
    CHECK(RunOnce(job) == JobStatus::kPause);
    CHECK(RunOnce(job) == JobStatus::kFinish);
    CHECK(job.ended());
    CHECK(job.return_value() == 42);
    CHECK(context->job() == nullptr);
    CHECK(JobThread::Current().live() == live);
    CHECK(CodeOf(job.CheckMayRun()) == "ERR_ASYNC_JOB_FINISHED");
  }

  TEST_CASE("a job's object and context are used again") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    Job job;
    for (int times = 0; times < 5; ++times) {
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kBatched);
      CHECK(CodeOf(job.CheckMayRun()).empty());
      CHECK(RunToEnd(job) == JobStatus::kFinish);
    }
  }

  TEST_CASE("a full pool has no job to give, which changes nothing and may be tried again") {
    InThreadOfItsOwn([] {
      JobThread& thread = JobThread::Current();
      REQUIRE(thread.Init(1, 0).ok());
      CHECK(thread.max_size() == 1);
      CHECK(CodeOf(thread.Init(1, 0)) == "ERR_ASYNC_THREAD_INITIALIZED");
      const std::unique_ptr<WaitContext> contexts[] = {NewWaitContext(), NewWaitContext()};
      int times = 1;
      Job first;
      Job second;
      first.Prepare(contexts[0].get(), &Pause, &times, Job::BlockCheck::kAtEnd);
      second.Prepare(contexts[1].get(), &Pause, &times, Job::BlockCheck::kAtEnd);
      CHECK(RunOnce(first) == JobStatus::kPause);
      for (int attempt = 0; attempt < 3; ++attempt) {
        CHECK(RunOnce(second) == JobStatus::kNoJobs);
        CHECK_FALSE(second.ended());
        CHECK(contexts[1]->job() == nullptr);
        CHECK(thread.live() == 1);
      }
      CHECK(CodeOf(thread.Cleanup()) == "ERR_ASYNC_JOBS_OUTSTANDING");
      CHECK(RunOnce(first) == JobStatus::kFinish);
      CHECK(RunOnce(second) == JobStatus::kPause);
      CHECK(RunOnce(second) == JobStatus::kFinish);
      CHECK(thread.Cleanup().ok());
      CHECK_FALSE(thread.pool_exists());
      CHECK(thread.Init(0, 4).ok());  // OpenSSL itself refuses (0, n)
      CHECK(thread.Cleanup().ok());
    });
  }

  TEST_CASE("a thread's first job makes its pool") {
    InThreadOfItsOwn([] {
      const std::unique_ptr<WaitContext> context = NewWaitContext();
      int times = 0;
      Job job;
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kAtEnd);
      CHECK(RunToEnd(job) == JobStatus::kFinish);
      CHECK(CodeOf(JobThread::Current().Init(1, 1)) == "ERR_ASYNC_THREAD_INITIALIZED");
    });
  }

  TEST_CASE("a paused job is refused by other threads") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    int times = 1;
    Job job;
    job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kAtEnd);
    REQUIRE(RunOnce(job) == JobStatus::kPause);
    InThreadOfItsOwn([&job] { CHECK(CodeOf(job.CheckMayRun()) == "ERR_ASYNC_WRONG_THREAD"); });
    CHECK(RunOnce(job) == JobStatus::kFinish);
  }

  TEST_CASE("from within a job, another cannot be started and the pool not be freed") {
    const std::unique_ptr<WaitContext> contexts[] = {NewWaitContext(), NewWaitContext()};
    int times = 0;
    Job other;
    other.Prepare(contexts[1].get(), &Pause, &times, Job::BlockCheck::kAtEnd);
    FromInside inside{&other};
    Job job;
    job.Prepare(contexts[0].get(), &TryToNest, &inside, Job::BlockCheck::kAtEnd);
    CHECK(RunToEnd(job) == JobStatus::kFinish);
    CHECK(inside.inside);
    CHECK(std::string(inside.start_code) == "ERR_ASYNC_NESTED_START");
    CHECK(std::string(inside.cleanup_code) == "ERR_ASYNC_NESTED_START");
    CHECK_FALSE(JobThread::Current().InsideJob());
    CHECK(RunToEnd(other) == JobStatus::kFinish);
  }

  TEST_CASE("an exception ends the job, not the process") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    char what[] = "thrown inside";
    Job job;
    for (int round = 0; round < 3; ++round) {
      job.Prepare(context.get(), &Throw, what, Job::BlockCheck::kAtEnd);
      REQUIRE(RunToEnd(job) == JobStatus::kFinish);
      REQUIRE(job.exception() != nullptr);
      CHECK(*job.exception() == what);
      job.Prepare(context.get(), &Throw, nullptr, Job::BlockCheck::kAtEnd);
      REQUIRE(RunToEnd(job) == JobStatus::kFinish);
      REQUIRE(job.exception() != nullptr);
      CHECK_FALSE(job.exception()->empty());
      int times = 1;
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kAtEnd);
      CHECK(job.exception() == nullptr);
      CHECK(RunToEnd(job) == JobStatus::kFinish);
    }
  }

  TEST_CASE("blocks that a job leaves behind are lifted at its end") {
    const std::unique_ptr<WaitContext> context = NewWaitContext();
    for (int blocks : {1, 2, 7}) {
      Job job;
      job.Prepare(context.get(), &LeaveBlocked, &blocks, Job::BlockCheck::kAtEnd);
      CHECK(RunOnce(job) == JobStatus::kFinish);
      int times = 1;
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kNever);
      CHECK(RunOnce(job) == JobStatus::kPause);
      CHECK(RunOnce(job) == JobStatus::kFinish);
    }
  }

  TEST_CASE("blocks that batched jobs leave behind are lifted before the next batch, or after 32 jobs") {
    InThreadOfItsOwn([] {
      JobThread& thread = JobThread::Current();
      const std::unique_ptr<WaitContext> context = NewWaitContext();
      int blocks = 3;
      int times = 1;
      Job job;
      job.Prepare(context.get(), &LeaveBlocked, &blocks, Job::BlockCheck::kBatched);
      CHECK(RunOnce(job) == JobStatus::kFinish);
      thread.EnsureUnblocked(*context);
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kBatched);
      CHECK(RunOnce(job) == JobStatus::kPause);
      CHECK(RunOnce(job) == JobStatus::kFinish);

      int ran = 0;
      JobStatus status = JobStatus::kFinish;
      job.Prepare(context.get(), &LeaveBlocked, &blocks, Job::BlockCheck::kBatched);
      CHECK(RunOnce(job) == JobStatus::kFinish);
      for (; ran < 40; ++ran) {
        job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kBatched);
        status = RunOnce(job);
        if (status == JobStatus::kPause) break;
      }
      CHECK(ran <= 32);
      REQUIRE(status == JobStatus::kPause);
      CHECK(RunOnce(job) == JobStatus::kFinish);
    });
  }

  TEST_CASE("blocks that batched jobs leave behind are lifted with the batch's last job") {
    InThreadOfItsOwn([] {
      const std::unique_ptr<WaitContext> context = NewWaitContext();
      int blocks = 2;
      int none = 0;
      int times = 1;
      Job job;
      job.Prepare(context.get(), &LeaveBlocked, &blocks, Job::BlockCheck::kBatched);
      CHECK(RunOnce(job) == JobStatus::kFinish);
      job.Prepare(context.get(), &LeaveBlocked, &none, Job::BlockCheck::kBatched);
      job.set_last_of_batch(true);
      CHECK(RunOnce(job) == JobStatus::kFinish);
      job.Prepare(context.get(), &Pause, &times, Job::BlockCheck::kBatched);
      CHECK(RunOnce(job) == JobStatus::kPause);
      CHECK(RunOnce(job) == JobStatus::kFinish);
    });
  }

  TEST_CASE("each job has an error queue and an errno of its own") {
    constexpr int kJobs = 5;
    std::unique_ptr<WaitContext> contexts[kJobs];
    Isolated states[kJobs];
    Job jobs[kJobs];
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 99);
    errno = 99;
    for (int i = 0; i < kJobs; ++i) {
      contexts[i] = NewWaitContext();
      states[i] = {100 * (i + 1), i + 3, 0};
      jobs[i].Prepare(contexts[i].get(), &RaiseAndPause, &states[i], Job::BlockCheck::kAtEnd);
    }
    int ended = 0;
    while (ended < kJobs) {
      for (int i = 0; i < kJobs; ++i) {
        if (jobs[i].ended()) continue;
        errno = 99;
        const JobStatus status = RunOnce(jobs[i]);
        CHECK(errno == 99);
        CHECK(ERR_GET_REASON(ERR_peek_error()) == 99);
        if (status == JobStatus::kFinish) ++ended;
      }
    }
    for (int i = 0; i < kJobs; ++i) {
      CHECK(states[i].faults == 0);
      CHECK(jobs[i].errors().Lines().size() == static_cast<size_t>(states[i].pauses));
    }
    CHECK(ERR_GET_REASON(ERR_get_error()) == 99);
    CHECK(ERR_peek_error() == 0);
  }
}

}  // namespace openssl_async::testing
