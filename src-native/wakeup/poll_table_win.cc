// Wait "fds" are HANDLEs of any waitable kind, which libuv does not poll. The system's wait pool watches each of them
// once per arming and wakes the loop through one async handle.
#include <windows.h>

#include "wakeup/poll_table.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

class PollSource {
 public:
  Result<void> Open(uv_loop_t* loop, OpenHandles& open, WaitFd fd) {
    if (Result<void> usable = CheckWaitFd(fd); !usable.ok()) return usable;
    int error = 0;
    handle_ = OpenHandle<uv_async_t>(open, this, &error, [loop](uv_async_t* async) {
      return uv_async_init(loop, async, [](uv_async_t* sent) { static_cast<PollSource*>(sent->data)->OnSignalled(); });
    });
    if (error != 0) return WaitFdError(fd, error);
    fd_ = fd;
    return {};
  }
  // Waits for a callback in progress, so that none touches the handle while it closes.
  ~PollSource() { Disarm(); }

  // 0, or libuv's code. A handle that is signalled already needs no thread of the wait pool. A handle that nobody may
  // wait for is found out here: some versions of the wait pool take it, and never report it.
  int Arm() {
    if (wait_ != nullptr) return 0;
    switch (WaitForSingleObject(fd_, 0)) {
      case WAIT_TIMEOUT:
        return Register();
      case WAIT_FAILED:
        return uv_translate_sys_error(static_cast<int>(GetLastError()));
      default:
        return uv_async_send(handle_.get());
    }
  }
  int Rearm() {
    Disarm();
    return Arm();
  }
  IntrusiveList<FdWatch>& watches() { return watches_; }

 private:
  int Register() {
    const auto signalled = [](void* self, BOOLEAN) { uv_async_send(static_cast<PollSource*>(self)->handle_.get()); };
    if (RegisterWaitForSingleObject(&wait_, fd_, signalled, this, INFINITE, WT_EXECUTEONLYONCE) != 0) return 0;
    wait_ = nullptr;
    return uv_translate_sys_error(static_cast<int>(GetLastError()));
  }
  void Disarm() {
    if (wait_ != nullptr) UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
    wait_ = nullptr;
  }
  void OnSignalled() {
    Disarm();  // once per arming
    for (FdWatch* watch = watches_.front(); watch != nullptr; watch = watches_.Next(watch)) {
      watch->target->OnWake(WakeKind::kFd);
    }
  }

  IntrusiveList<FdWatch> watches_;
  WaitFd fd_ = OSSL_BAD_ASYNC_FD;
  HANDLE wait_ = nullptr;
  UvHandlePointer<uv_async_t> handle_;
};

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
