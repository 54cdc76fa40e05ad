// POSIX without epoll: one uv_poll handle for each fd.
#include "wakeup/poll_table.h"

#if !defined(_WIN32) && !defined(OPENSSL_ASYNC_POLL_WITH_EPOLL)

#include <fcntl.h>

#include <cerrno>

#include "wakeup/wait_fd.h"

namespace openssl_async {

// A poll handle and the watches that share it.
class PollSource {
 public:
  Result<void> Open(uv_loop_t* loop, OpenHandles& open, WaitFd fd);
  // 0, or libuv's code.
  int Arm() { return armed_ ? 0 : Start(); }
  int Rearm() {
    if (armed_) Stop();
    return Start();
  }
  IntrusiveList<FdWatch>& watches() { return watches_; }

 private:
  int Start();
  void Stop();
  void OnReadable();

  IntrusiveList<FdWatch> watches_;
  UniqueFd duplicate_;  // polled instead when other code in the loop polls the fd
  UvHandlePointer<uv_poll_t> handle_;
  bool armed_ = false;
};

Result<void> PollSource::Open(uv_loop_t* loop, OpenHandles& open, WaitFd fd) {
  int error = 0;
  const auto init = [&](int polled) {
    handle_ = OpenHandle<uv_poll_t>(open, this, &error,
                                    [loop, polled](uv_poll_t* handle) { return uv_poll_init(loop, handle, polled); });
  };
  init(fd);
  if (error == UV_EEXIST) {
    duplicate_ = UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!duplicate_.valid()) return WaitFdError(fd, uv_translate_sys_error(errno));
    init(duplicate_.get());
  }
  if (error != 0) return WaitFdError(fd, error);
  return {};
}

int PollSource::Start() {
  const int error = uv_poll_start(handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    // An error (a hang-up, say) is a reason to resume too: the job finds out by its own read.
    static_cast<PollSource*>(handle->data)->OnReadable();
  });
  armed_ = error == 0;
  return error;
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
  if (!wanted) Stop();  // until somebody waits again: it may stay readable for ever
}

PollTable::PollTable(uv_loop_t* loop, OpenHandles& open, int* error) : loop_(loop), open_(open) { *error = 0; }
PollTable::~PollTable() = default;

Result<void> PollTable::Add(FdWatch& watch) {
  std::unique_ptr<PollSource>& source = sources_[watch.fd];
  if (source) {
    if (const int error = source->Rearm(); error != 0) return WaitFdError(watch.fd, error);
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

int PollTable::Arm(FdWatch& watch) { return watch.source->Arm(); }

void PollTable::Collect() {}  // never busy

}  // namespace openssl_async

#endif
