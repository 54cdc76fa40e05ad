// Linux: an epoll instance of our own, which libuv polls as one fd.
//
// libuv's poll handles would do, but libuv asks for events up to 48 times in a row while there are many, and hears of
// each fd again whose job has not had its turn yet. Here events are collected when there is time for their jobs. Nor is
// the engine's fd made non-blocking, and anything else in the loop may poll it too.
#include "wakeup/poll_table.h"

#ifdef OPENSSL_ASYNC_POLL_WITH_EPOLL

#include <sys/epoll.h>

#include <cerrno>

#include "wakeup/wait_fd.h"

namespace openssl_async {

// An fd and those who share it.
class PollSource {
 public:
  PollSource(int epoll, WaitFd fd) : epoll_(epoll), fd_(fd) {}
  ~PollSource() { Disarm(); }
  PollSource(const PollSource&) = delete;
  PollSource& operator=(const PollSource&) = delete;

  // 0, or libuv's code.
  int Arm() {
    if (armed_) return 0;
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = fd_;
    int result = epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
    if (result != 0 && errno == EEXIST) result = epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
    if (result != 0) return uv_translate_sys_error(errno);
    armed_ = true;
    return 0;
  }
  // The number may stand for another file than before, of which the system knows nothing here.
  int Rearm() {
    armed_ = false;
    return Arm();
  }
  // The fd may be closed already, which has removed it.
  void Disarm() {
    if (!armed_) return;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd_, nullptr);
    armed_ = false;
  }

  IntrusiveList<FdWatch>& watches() { return watches_; }

 private:
  IntrusiveList<FdWatch> watches_;
  int epoll_;
  WaitFd fd_;
  bool armed_ = false;
};

PollTable::PollTable(uv_loop_t* loop, OpenHandles& open, int* error) : loop_(loop), open_(open) {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) {
    *error = uv_translate_sys_error(errno);
    return;
  }
  handle_ = OpenHandle<uv_poll_t>(open_, this, error,
                                  [&](uv_poll_t* handle) { return uv_poll_init(loop_, handle, epoll_.get()); });
}

PollTable::~PollTable() { sources_.clear(); }

Result<void> PollTable::Add(FdWatch& watch) {
  if (sources_.empty()) {
    uv_poll_start(handle_.get(), UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<PollTable*>(handle->data)->Collect(); });
  }
  std::unique_ptr<PollSource>& source = sources_[watch.fd];
  const bool is_new = source == nullptr;
  if (is_new) source = std::make_unique<PollSource>(epoll_.get(), watch.fd);
  if (const int error = source->Rearm(); error != 0) {
    if (is_new) sources_.erase(watch.fd);
    return WaitFdError(watch.fd, error);
  }
  watch.source = source.get();
  source->watches().PushBack(&watch);
  return {};
}

void PollTable::Remove(FdWatch& watch) {
  watch.source->watches().Remove(&watch);
  if (watch.source->watches().empty()) sources_.erase(watch.fd);
  watch.source = nullptr;
  if (sources_.empty()) uv_poll_stop(handle_.get());
}

void PollTable::Arm(FdWatch& watch) { watch.source->Arm(); }

void PollTable::Collect() {
  if (hold_) return;
  constexpr int kMostEvents = 1024;
  epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_.get(), events, kMostEvents, 0);
  for (int i = 0; i < count; ++i) {
    const auto found = sources_.find(events[i].data.fd);
    if (found == sources_.end()) continue;
    PollSource& source = *found->second;
    bool wanted = false;
    // An error (a hang-up, say) is a reason to resume too: the job finds out by its own read.
    for (FdWatch* watch = source.watches().front(); watch != nullptr; watch = source.watches().Next(watch)) {
      wanted = watch->target->OnWake(WakeKind::kFd) || wanted;
    }
    if (!wanted) source.Disarm();  // until somebody waits again: it may stay readable for ever
  }
}

}  // namespace openssl_async

#endif
