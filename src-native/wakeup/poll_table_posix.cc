#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/unique_fd.h"
#include "wakeup/poll_table.h"

namespace openssl_async {

// A poll handle and those who share it.
class PollSource {
 public:
  Result<void> Open(uv_loop_t* loop, OpenHandles& open, WaitFd fd);
  void Arm() {
    if (!armed_) Start();
  }
  void Rearm() {
    if (armed_) Stop();
    Start();
  }
  IntrusiveList<FdWatch>& watches() { return watches_; }

 private:
  // A source may stay readable while its job has not had its turn yet. Once is no reason to pay for stop and start.
  static constexpr int kMostIdleEvents = 2;

  void Start();
  void Stop();
  void OnReadable();

  IntrusiveList<FdWatch> watches_;
  UniqueFd duplicate_;  // what is polled when something else in the loop polls the fd itself
  UvHandlePointer<uv_poll_t> handle_;
  bool armed_ = false;
  int idle_events_ = 0;
};

namespace {

Error PollError(WaitFd fd, int error) {
  if (error == UV_EBADF) return {"ERR_ASYNC_INVALID_FD", "Wait fd " + std::to_string(fd) + " is not open", {}};
  if (error == UV_EPERM) {
    return {"ERR_ASYNC_FD_NOT_POLLABLE",
            "Wait fd " + std::to_string(fd) + " cannot be waited for: it is a regular file or a directory", {}};
  }
  return {"ERR_ASYNC_FD_NOT_POLLABLE", "Wait fd " + std::to_string(fd) + " cannot be polled: " + uv_strerror(error), {}};
}

}  // namespace

Result<void> PollSource::Open(uv_loop_t* loop, OpenHandles& open, WaitFd fd) {
  int error = 0;
  const auto init = [&](int polled) {
    handle_ = OpenHandle<uv_poll_t>(open, this, &error,
                                    [loop, polled](uv_poll_t* handle) { return uv_poll_init(loop, handle, polled); });
  };
  init(fd);
  if (error == UV_EEXIST) {
    duplicate_ = UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!duplicate_.valid()) return PollError(fd, uv_translate_sys_error(errno));
    init(duplicate_.get());
  }
  if (error != 0) return PollError(fd, error);
  return {};
}

void PollSource::Start() {
  uv_poll_start(handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    // An error (a hang-up, say) is a reason to resume too: the job finds out by its own read.
    static_cast<PollSource*>(handle->data)->OnReadable();
  });
  armed_ = true;
  idle_events_ = 0;
}

void PollSource::Stop() {
  uv_poll_stop(handle_.get());
  armed_ = false;
}

void PollSource::OnReadable() {
  bool wanted = false;
  for (FdWatch* watch = watches_.front(); watch != nullptr; watch = watches_.Next(watch)) {
    wanted = watch->target->OnWake(WakeKind::kFd) || wanted;
  }
  if (wanted) {
    idle_events_ = 0;
  } else if (++idle_events_ >= kMostIdleEvents) {
    Stop();
  }
}

PollTable::PollTable(uv_loop_t* loop, OpenHandles& open) : loop_(loop), open_(open) {}
PollTable::~PollTable() = default;

Result<void> PollTable::Add(FdWatch& watch) {
  std::unique_ptr<PollSource>& source = sources_[watch.fd];
  if (source) {
    source->Rearm();
  } else {
    auto opened = std::make_unique<PollSource>();
    Result<void> result = opened->Open(loop_, open_, watch.fd);
    if (!result.ok()) {
      sources_.erase(watch.fd);
      return result;
    }
    source = std::move(opened);
  }
  watch.source = source.get();
  source->watches().PushBack(&watch);
  return {};
}

void PollTable::Remove(FdWatch& watch) {
  watch.source->watches().Remove(&watch);
  if (watch.source->watches().empty()) sources_.erase(watch.fd);
  watch.source = nullptr;
}

void PollTable::Arm(FdWatch& watch) { watch.source->Arm(); }

std::vector<bool> WaitReadable(const std::vector<WaitFd>& fds, int timeout_ms) {
  std::vector<pollfd> polled;
  polled.reserve(fds.size());
  for (const WaitFd fd : fds) polled.push_back({fd, POLLIN, 0});
  std::vector<bool> readable(fds.size());
  if (poll(polled.data(), static_cast<nfds_t>(polled.size()), timeout_ms) <= 0) return readable;
  for (size_t i = 0; i < polled.size(); ++i) readable[i] = polled[i].revents != 0;
  return readable;
}

Result<void> CheckWaitFd(WaitFd fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) return PollError(fd, UV_EBADF);
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return PollError(fd, UV_EPERM);
  return {};
}

}  // namespace openssl_async
