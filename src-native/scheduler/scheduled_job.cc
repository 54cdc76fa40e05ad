#include "scheduler/scheduled_job.h"

#include <openssl/crypto.h>

#include "scheduler/scheduler.h"

namespace openssl_async {

namespace {

// A finished job keeps up to this much argument memory for the next job.
constexpr size_t kMostKeptArgsBytes = 4096;

}  // namespace

bool ScheduledJob::OnWake(WakeKind kind) {
  if (state_ != State::kWaiting) return false;
  CountWakeup(kind);
  scheduler_.MakeReady(*this);
  return true;
}

void ScheduledJob::CountWakeup(WakeKind kind) {
  Metrics& metrics = scheduler_.metrics_;
  switch (kind) {
    case WakeKind::kFd:
      ++wakeups_.fd, ++metrics.fd_wakeups;
      attempts_ = 0;
      break;
    case WakeKind::kCallback:
      ++wakeups_.callback, ++metrics.callback_wakeups;
      attempts_ = 0;
      break;
    case WakeKind::kPoll:
      ++wakeups_.poll, ++metrics.poll_wakeups;
      break;
  }
  if (scheduler_.tracing_) {
    if (JobOwner* owner = scheduler_.OwnerToTell(*this); owner != nullptr) owner->OnResume(*this, kind);
  }
}

Error ScheduledJob::failure() const {
  if (status_ == JobStatus::kError) {
    return {"ERR_ASYNC_JOB_FAILED", "OpenSSL could not run the job", job_.errors().Lines()};
  }
  if (const std::string* exception = job_.exception(); exception != nullptr) {
    return {"ERR_ASYNC_NATIVE_EXCEPTION", *exception, job_.errors().Lines()};
  }
  return {"", "", job_.errors().Lines()};
}

void ScheduledJob::Prepare(Job::BlockCheck check) {
  void* args = has_args_ ? args_.data() : nullptr;
  if (is_program()) {
    program_.Reset();
    args = &program_;
    check = Job::BlockCheck::kNever;
  }
  seen_pause_ = false;
  job_.Prepare(&wait_point_->context(), function_, args, check);
}

void ScheduledJob::ForgetPause() {
  if (!seen_pause_) return;
  seen_pause_ = false;
  wait_point_->context().ForgetInternalPauses();
}

void ScheduledJob::SetArgs(const void* bytes, size_t size) {
  has_args_ = bytes != nullptr;
  if (!has_args_) return;
  const auto* first = static_cast<const unsigned char*>(bytes);
  args_.assign(first, first + size);
  if (size == 0) args_.reserve(1);  // zero bytes are not the same as none
}

void ScheduledJob::ClearArgs() {
  if (!has_args_) return;
  OPENSSL_cleanse(args_.data(), args_.size());
  args_.clear();
  if (args_.capacity() > kMostKeptArgsBytes) std::vector<unsigned char>().swap(args_);
  has_args_ = false;
}

}  // namespace openssl_async
