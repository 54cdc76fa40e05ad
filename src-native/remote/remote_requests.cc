#include "remote/remote_requests.h"

#include <condition_variable>

#include "job/job_thread.h"
#include "pool/notify_fd.h"

namespace openssl_async {

namespace {

// After so many pauses in a row that did not happen, pauses count as blocked: nobody can answer while this thread is
// held up here.
constexpr unsigned kMostVainPauses = 64;

constexpr char kEnvironmentEnds[] = "The remote key's environment ends";

}  // namespace

// Lives on the stack of its asker.
class RemoteRequests::Request {
 public:
  Request(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer, uint32_t job)
      : key(holder.key), job(job), question(question), answer_(answer) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const uint32_t key;
  const uint32_t job;
  const RemoteQuestion& question;

  // Whether there is an answer; if not, raises the error on the asker's thread.
  bool Result() const {
    if (ok_) return true;
    RaiseOwn(reason_, detail_.empty() ? nullptr : detail_.c_str());
    return false;
  }

  void EndWith(ByteView bytes) {
    ok_ = answer_->Assign(bytes);
    End();
  }
  void EndWith(OwnReason reason, const char* detail) {
    reason_ = reason;
    detail_ = detail == nullptr ? "" : detail;
    End();
  }

 protected:
  ~Request() = default;
  // Has the asker go on, and so end the request.
  virtual void End() = 0;

 private:
  SecretBytes* const answer_;
  bool ok_ = false;
  OwnReason reason_ = OwnReason::kRemoteKeyFailed;
  std::string detail_;
};

// Only the job's thread sees it.
class RemoteRequests::PausedRequest final : public Request {
 public:
  using Request::Request;

  // False when there is no way to wake the application.
  bool Prepare(ASYNC_WAIT_CTX* wait_context) {
    wait_context_ = wait_context;
    if (ASYNC_WAIT_CTX_get_callback(wait_context, &callback_, &callback_argument_) != 1) callback_ = nullptr;
    if (callback_ != nullptr) return true;
    notify_fd_ = NotifyFd::Of(wait_context);
    return notify_fd_.valid();
  }

  // False when it could not pause.
  bool Await() {
    const int status = callback_ != nullptr ? ASYNC_STATUS_OK : ASYNC_STATUS_UNSUPPORTED;
    const int status_before = ASYNC_WAIT_CTX_get_status(wait_context_);
    if (status != status_before) ASYNC_WAIT_CTX_set_status(wait_context_, status);
    // A resume is a hint. Jobs that another program drives are not counted in switches(), but are not resumed in vain
    // so often.
    const JobThread& thread = JobThread::Current();
    for (unsigned vain = 0; !ended_ && vain < kMostVainPauses;) {
      const uint64_t switches = thread.switches();
      if (ASYNC_pause_job() != 1) break;
      vain = thread.switches() != switches ? 0 : vain + 1;
    }
    if (status != status_before) ASYNC_WAIT_CTX_set_status(wait_context_, status_before);
    if (ended_ && callback_ == nullptr) notify_fd_.Clear();
    return ended_;
  }

 private:
  void End() override {
    ended_ = true;
    if (callback_ != nullptr) {
      callback_(callback_argument_);
    } else {
      notify_fd_.Signal();
    }
  }

  ASYNC_WAIT_CTX* wait_context_ = nullptr;
  ASYNC_callback_fn callback_ = nullptr;
  void* callback_argument_ = nullptr;
  NotifyFd notify_fd_;
  bool ended_ = false;
};

class RemoteRequests::SleepingRequest final : public Request {
 public:
  SleepingRequest(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer, uint32_t job,
                  std::mutex& mutex)
      : Request(holder, question, answer, job), mutex_(mutex) {}

  void Await(std::unique_lock<std::mutex>& lock) {
    wake_.wait(lock, [this] { return ended_; });
  }

 private:
  void End() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    wake_.notify_one();  // under the lock: the request is gone as soon as its thread has the lock
  }

  std::mutex& mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
};

bool RemoteHolder::Ask(const RemoteQuestion& question, SecretBytes* answer) const {
  if ((operations & (1U << static_cast<unsigned>(question.operation))) == 0) {
    RaiseOwn(OwnReason::kRemoteKeyUnsupported);
    return false;
  }
  return answer_here != nullptr ? answer_here(question, answer) : requests->Ask(*this, question, answer);
}

bool RemoteRequests::Ask(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer) {
  const bool is_elsewhere = thread_ != std::this_thread::get_id();
  if (is_elsewhere && threads_may_ask_) return AskOnThread(holder, question, answer);
  if (!is_elsewhere && ASYNC_get_current_job() != nullptr) return AskInJob(holder, question, answer);
  RaiseOwn(OwnReason::kRemoteKeyCannotWait);
  return false;
}

bool RemoteRequests::AskInJob(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer) {
  if (delegate_ == nullptr) {
    RaiseOwn(OwnReason::kRemoteKeyFailed, kEnvironmentEnds);
    return false;
  }
  PausedRequest request(holder, question, answer, delegate_->RunningJob());
  if (!request.Prepare(ASYNC_get_wait_ctx(ASYNC_get_current_job()))) {
    RaiseOwn(OwnReason::kRemoteKeyCannotWait, "No file descriptor is left to wait for the remote key with");
    return false;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t id = Add(&request);
  lock.unlock();  // none is held over a pause
  delegate_->OnRemoteRequest();
  if (request.Await()) return request.Result();
  Remove(id);
  RaiseOwn(OwnReason::kRemoteKeyCannotWait, "The remote key cannot be waited for: the job's pauses are blocked");
  return false;
}

bool RemoteRequests::AskOnThread(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (delegate_ == nullptr) {
    RaiseOwn(OwnReason::kRemoteKeyFailed, kEnvironmentEnds);
    return false;
  }
  SleepingRequest request(holder, question, answer, delegate_->RunningJob(), mutex_);
  Add(&request);
  delegate_->OnRemoteRequestElsewhere();
  request.Await(lock);
  return request.Result();
}

uint64_t RemoteRequests::Add(Request* request) {
  requests_.emplace(next_id_, request);
  new_.push_back(next_id_);
  return next_id_++;
}

std::optional<RemoteRequests::Taken> RemoteRequests::Look(uint64_t id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return std::nullopt;
  const Request& request = *found->second;
  return Taken{id, request.key, request.job, &request.question};
}

RemoteRequests::Request* RemoteRequests::Remove(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return nullptr;
  Request* request = found->second;
  requests_.erase(found);
  return request;
}

void RemoteRequests::Answer(uint64_t id, ByteView bytes) {
  if (Request* request = Remove(id); request != nullptr) request->EndWith(bytes);
}

void RemoteRequests::Refuse(uint64_t id, OwnReason reason, const char* detail) {
  if (Request* request = Remove(id); request != nullptr) request->EndWith(reason, detail);
}

void RemoteRequests::Close() {
  std::unique_lock<std::mutex> lock(mutex_);
  delegate_ = nullptr;
  new_.clear();
  const auto left = std::exchange(requests_, {});
  lock.unlock();
  for (const auto& [id, request] : left) request->EndWith(OwnReason::kRemoteKeyFailed, kEnvironmentEnds);
}

}  // namespace openssl_async
