#include "remote/remote_requests.h"

#include "job/job_thread.h"
#include "pool/notify_fd.h"

namespace openssl_async {

namespace {

// After so many pauses in a row that did not happen, pauses count as blocked: nobody can answer while this thread is
// held up here.
constexpr unsigned kMostVainPauses = 64;

}  // namespace

// Lives on the stack of its waiting job. Only the job's thread sees it.
class RemoteRequests::Request {
 public:
  Request(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer, uint32_t job)
      : key(holder.key), job(job), question(question), answer_(answer) {}

  const uint32_t key;
  const uint32_t job;
  const RemoteQuestion& question;

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

  // Whether there is an answer; if not, raises the error in the job.
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

 private:
  void End() {
    ended_ = true;
    if (callback_ != nullptr) {
      callback_(callback_argument_);
    } else {
      notify_fd_.Signal();
    }
  }

  SecretBytes* const answer_;
  ASYNC_WAIT_CTX* wait_context_ = nullptr;
  ASYNC_callback_fn callback_ = nullptr;
  void* callback_argument_ = nullptr;
  NotifyFd notify_fd_;
  bool ended_ = false;
  bool ok_ = false;
  OwnReason reason_ = OwnReason::kRemoteKeyFailed;
  std::string detail_;
};

bool RemoteHolder::Ask(const RemoteQuestion& question, SecretBytes* answer) const {
  if ((operations & (1U << static_cast<unsigned>(question.operation))) == 0) {
    RaiseOwn(OwnReason::kRemoteKeyUnsupported);
    return false;
  }
  return requests->Ask(*this, question, answer);
}

bool RemoteRequests::Ask(const RemoteHolder& holder, const RemoteQuestion& question, SecretBytes* answer) {
  ASYNC_JOB* job = thread_ == std::this_thread::get_id() ? ASYNC_get_current_job() : nullptr;
  if (job == nullptr) {
    RaiseOwn(OwnReason::kRemoteKeyCannotWait);
    return false;
  }
  if (delegate_ == nullptr) {
    RaiseOwn(OwnReason::kRemoteKeyFailed, "The remote key's environment ends");
    return false;
  }
  Request request(holder, question, answer, delegate_->RunningJob());
  if (!request.Prepare(ASYNC_get_wait_ctx(job))) {
    RaiseOwn(OwnReason::kRemoteKeyCannotWait, "No file descriptor is left to wait for the remote key with");
    return false;
  }
  const uint64_t id = next_id_++;
  requests_.emplace(id, &request);
  new_.push_back(id);
  delegate_->OnRemoteRequest();
  if (request.Await()) return request.Result();
  requests_.erase(id);
  RaiseOwn(OwnReason::kRemoteKeyCannotWait, "The remote key cannot be waited for: the job's pauses are blocked");
  return false;
}

RemoteRequests::Request* RemoteRequests::Find(uint64_t id) const {
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : found->second;
}

std::optional<RemoteRequests::Taken> RemoteRequests::Look(uint64_t id) const {
  const Request* request = Find(id);
  if (request == nullptr) return std::nullopt;
  return Taken{id, request->key, request->job, &request->question};
}

RemoteRequests::Request* RemoteRequests::Remove(uint64_t id) {
  Request* request = Find(id);
  if (request != nullptr) requests_.erase(id);
  return request;
}

void RemoteRequests::Answer(uint64_t id, ByteView bytes) {
  if (Request* request = Remove(id); request != nullptr) request->EndWith(bytes);
}

void RemoteRequests::Refuse(uint64_t id, OwnReason reason, const char* detail) {
  if (Request* request = Remove(id); request != nullptr) request->EndWith(reason, detail);
}

void RemoteRequests::Close() {
  delegate_ = nullptr;
  new_.clear();
  for (const auto& [id, request] : std::exchange(requests_, {})) {
    request->EndWith(OwnReason::kRemoteKeyFailed, "The remote key's environment ends");
  }
}

}  // namespace openssl_async
