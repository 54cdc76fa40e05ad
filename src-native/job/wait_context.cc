#include "job/wait_context.h"

#include <algorithm>
#include <new>

#include "job/contract.h"

namespace openssl_async {

namespace {

static_assert(static_cast<int>(WaitStatus::kUnsupported) == ASYNC_STATUS_UNSUPPORTED);
static_assert(static_cast<int>(WaitStatus::kError) == ASYNC_STATUS_ERR);
static_assert(static_cast<int>(WaitStatus::kOk) == ASYNC_STATUS_OK);
static_assert(static_cast<int>(WaitStatus::kAgain) == ASYNC_STATUS_EAGAIN);

const void* ToKey(uintptr_t key) { return reinterpret_cast<const void*>(key); }  // NOLINT: OpenSSL's keys are addresses

bool Erase(std::vector<WaitFd>& fds, WaitFd fd) {
  const auto found = std::find(fds.begin(), fds.end(), fd);
  if (found == fds.end()) return false;
  fds.erase(found);
  return true;
}

// Adds later changes to earlier ones. An fd that was added and removed again is no change.
void Append(FdChanges& earlier, const FdChanges& later) {
  for (const WaitFd fd : later.removed) {
    if (!Erase(earlier.added, fd)) earlier.removed.push_back(fd);
  }
  earlier.added.insert(earlier.added.end(), later.added.begin(), later.added.end());
}

}  // namespace

Result<WaitContext*> WaitContext::Create() {
  WaitCtxPointer context(ASYNC_WAIT_CTX_new());
  if (!context) return Error{"ERR_MEMORY_ALLOCATION_FAILED", "OpenSSL could not allocate a wait context", {}};
  auto* created = new WaitContext();
  created->context_ = std::move(context);
  return created;
}

WaitContext::~WaitContext() { Close(); }

std::vector<FdCleanup> WaitContext::Close() {
  cleanups_.clear();
  context_.reset();
  return std::move(cleanups_);
}

std::vector<WaitFd> WaitContext::Fds() const {
  size_t count = 0;
  if (closed() || ASYNC_WAIT_CTX_get_all_fds(context_.get(), nullptr, &count) != 1 || count == 0) return {};
  std::vector<WaitFd> fds(count);
  ASYNC_WAIT_CTX_get_all_fds(context_.get(), fds.data(), &count);
  return fds;
}

bool WaitContext::HasFds() const {
  size_t count = 0;
  return !closed() && ASYNC_WAIT_CTX_get_all_fds(context_.get(), nullptr, &count) == 1 && count > 0;
}

bool WaitContext::HasChangedFds() const {
  size_t added = 0;
  size_t removed = 0;
  ASYNC_WAIT_CTX_get_changed_fds(context_.get(), nullptr, &added, nullptr, &removed);
  return (added | removed) != 0 || !carried_.added.empty() || !carried_.removed.empty();
}

FdChanges WaitContext::CurrentChanges() const {
  size_t added = 0;
  size_t removed = 0;
  FdChanges changes;
  ASYNC_WAIT_CTX_get_changed_fds(context_.get(), nullptr, &added, nullptr, &removed);
  if ((added | removed) == 0) return changes;
  changes.added.resize(added);
  changes.removed.resize(removed);
  ASYNC_WAIT_CTX_get_changed_fds(context_.get(), changes.added.data(), &added, changes.removed.data(), &removed);
  return changes;
}

FdChanges WaitContext::ChangedFds() const {
  FdChanges changes = carried_;
  if (!closed()) Append(changes, CurrentChanges());
  return changes;
}

void WaitContext::NoteInternalPause() { Append(carried_, CurrentChanges()); }

bool WaitContext::SetFd(uintptr_t key, WaitFd fd, bool wants_cleanup) {
  return ASYNC_WAIT_CTX_set_wait_fd(context_.get(), ToKey(key), fd, this, wants_cleanup ? &OnCleanup : nullptr) == 1;
}

bool WaitContext::GetFd(uintptr_t key, WaitFd* fd) const {
  void* custom_data = nullptr;
  return ASYNC_WAIT_CTX_get_fd(context_.get(), ToKey(key), fd, &custom_data) == 1;
}

bool WaitContext::ClearFd(uintptr_t key) { return ASYNC_WAIT_CTX_clear_fd(context_.get(), ToKey(key)) == 1; }

void WaitContext::OnCleanup(ASYNC_WAIT_CTX*, const void* key, WaitFd fd, void* self) {
  static_cast<WaitContext*>(self)->cleanups_.push_back({reinterpret_cast<uintptr_t>(key), fd});
}

}  // namespace openssl_async
