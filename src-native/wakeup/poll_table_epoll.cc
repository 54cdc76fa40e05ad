// Linux: an epoll instance of our own, which libuv polls as one fd.
//
// libuv's own poll handles would do. But while there are many events, libuv asks for more up to 48 times in a row, and
// is told again of every fd whose job has not had its turn yet. Here events are collected when there is time for their
// jobs. The engine's fd is not made non-blocking either, and other code in the loop may poll it too.
#include "wakeup/poll_table.h"

#ifdef OPENSSL_ASYNC_POLL_WITH_EPOLL

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "base/memory.h"
#include "base/prefetch.h"
#include "wakeup/wait_fd.h"

namespace openssl_async {

// An fd and the watches that share it.
class PollSource {
 public:
  // `serials` numbers the registrations with epoll instances; an event carries the number of its registration.
  PollSource(int epoll, uint32_t* serials, WaitFd fd) : epoll_(epoll), serials_(serials), fd_(fd) {}
  ~PollSource() { Disarm(); }
  PollSource(const PollSource&) = delete;
  PollSource& operator=(const PollSource&) = delete;

  // 0, or libuv's code.
  int Arm() {
    if (armed_) return 0;
    epoll_event event = {};
    event.events = EPOLLIN;
    serial_ = ++*serials_;
    event.data.u64 = (uint64_t{serial_} << 32) | static_cast<uint32_t>(fd_);
    int result = epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event);
    if (result != 0 && errno == EEXIST) result = epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
    if (result != 0) return uv_translate_sys_error(errno);
    armed_ = true;
    return 0;
  }
  // The fd's number may stand for another file by now, which the epoll instance does not know.
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

  // Moves to another epoll instance; the earlier one is about to be closed.
  void MoveTo(int epoll) {
    epoll_ = epoll;
    if (armed_) Rearm();
  }

  bool Expects(uint64_t event) const { return armed_ && event >> 32 == serial_; }
  IntrusiveList<FdWatch>& watches() { return watches_; }

 private:
  IntrusiveList<FdWatch> watches_;
  int epoll_;
  uint32_t* serials_;
  uint32_t serial_ = 0;
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
  if (watch.fd < 0) return WaitFdError(watch.fd, UV_EBADF);
  if (watched_ == 0 && !busy_) Listen();
  const auto index = static_cast<size_t>(watch.fd);
  if (index >= sources_.size()) sources_.resize(index + 1);
  std::unique_ptr<PollSource>& source = sources_[index];
  const bool is_new = source == nullptr;
  if (is_new) source = std::make_unique<PollSource>(epoll_.get(), &serials_, watch.fd);
  if (const int error = source->Rearm(); error != 0) {
    if (is_new) source.reset();
    if (watched_ == 0) uv_poll_stop(handle_.get());
    return WaitFdError(watch.fd, error);
  }
  if (is_new) ++watched_;
  watch.source = source.get();
  source->watches().PushBack(&watch);
  return {};
}

void PollTable::Remove(FdWatch& watch) {
  watch.source->watches().Remove(&watch);
  if (watch.source->watches().empty()) {
    sources_[static_cast<size_t>(watch.fd)].reset();
    if (--watched_ == 0) uv_poll_stop(handle_.get());
  }
  watch.source = nullptr;
}

int PollTable::Arm(FdWatch& watch) { return watch.source->Arm(); }

void PollTable::Listen() {
  uv_poll_start(handle_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    OrDieOfMemory([handle] { static_cast<PollTable*>(handle->data)->Collect(); });
  });
}

PollSource* PollTable::SourceOf(uint64_t event) const {
  const size_t fd = event & UINT32_MAX;
  return fd < sources_.size() ? sources_[fd].get() : nullptr;
}

void PollTable::Collect() {
  if (hold_) return;
  constexpr int kMostEvents = 1024;
  constexpr int kBusyFrom = 512;
  constexpr int kBusyUntil = 64;
  constexpr int kAhead = 4;  // thousands of sources do not stay in the cache
  epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_.get(), events, kMostEvents, 0);
  bool orphaned = false;
  for (int i = 0; i < count; ++i) {
    if (i + kAhead < count) Prefetch(SourceOf(events[i + kAhead].data.u64));
    const uint64_t event = events[i].data.u64;
    PollSource* const found = SourceOf(event);
    if (found == nullptr || !found->Expects(event)) {
      orphaned = true;
      continue;
    }
    PollSource& source = *found;
    bool wanted = false;
    // An error (a hang-up, say) is a reason to resume too: the job finds out by its own read.
    for (FdWatch* watch = source.watches().front(); watch != nullptr; watch = source.watches().Next(watch)) {
      wanted = watch->target->OnWake(WakeKind::kFd) || wanted;
    }
    if (!wanted) source.Disarm();  // until somebody waits again: it may stay readable for ever
  }
  if (orphaned) Renew();
  // An event of our instance wakes libuv's too, which costs as much again. While events are many, libuv does not poll
  // ours.
  if (!busy_ && count >= kBusyFrom) {
    busy_ = true;
    uv_poll_stop(handle_.get());
  } else if (busy_ && count < kBusyUntil) {
    busy_ = false;
    if (watched_ > 0) Listen();
  }
}

// A watched fd may be closed while a copy of it (a child process's, say) keeps its file open. The fd can then not be
// taken out of the epoll instance, whose events for it never end: a new instance replaces it.
void PollTable::Renew() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return;  // the next event tries again
  int error = 0;
  UvHandlePointer<uv_poll_t> handle = OpenHandle<uv_poll_t>(
      open_, this, &error, [&](uv_poll_t* opened) { return uv_poll_init(loop_, opened, epoll.get()); });
  if (!handle) return;
  handle_ = std::move(handle);  // closes the earlier one, and then its epoll instance
  epoll_ = std::move(epoll);
  for (const std::unique_ptr<PollSource>& source : sources_) {
    if (source != nullptr) source->MoveTo(epoll_.get());
  }
  if (!busy_) Listen();
}

}  // namespace openssl_async

#endif
