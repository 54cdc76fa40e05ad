#include "tls/hub.h"

#include <algorithm>
#include <string>

#include "base/memory.h"

namespace openssl_async {

namespace {

// An id is a slot and the slot's generation; a listener's token has the highest bit.
constexpr uint32_t kSlotBits = 20;
constexpr uint32_t kMostSlots = 1U << kSlotBits;
constexpr uint32_t kGenerations = 1U << 11;
constexpr uint32_t kListenerToken = 1U << 31;

constexpr int kAcceptsPerTurn = 64;
// Connections that have said nothing. When there are more, the oldest one is closed.
constexpr size_t kMostPending = 10'000;
// Handshakes end a turn of the loop after this; records go on.
constexpr uint64_t kTurnNanoseconds = 2'000'000;
constexpr uint64_t kAcceptPauseMs = 100;

bool IsOutOfDescriptors(int error) {
  return error == UV_EMFILE || error == UV_ENFILE || error == UV_ENOBUFS || error == UV_ENOMEM;
}

}  // namespace

Result<std::unique_ptr<Hub>> Hub::Create(uv_loop_t* loop, BatchSink::Find find, BatchSink::Tell tell) {
  std::unique_ptr<Hub> hub(new Hub(std::move(find), std::move(tell)));
  const int error = hub->Open(loop);
  if (error == 0) return hub;
  Hub* const failed = hub.release();
  failed->Close([failed] { delete failed; });
  return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}};
}

Hub::~Hub() = default;

int Hub::Open(uv_loop_t* loop) {
  loop_ = loop;
  int error = 0;
  poller_ = std::make_unique<Poller>(loop, *open_, static_cast<Poller::Delegate&>(*this), &error);
  if (error != 0) return error;
  soon_ = OpenHandle<uv_idle_t>(*open_, this, &error, [&](uv_idle_t* handle) { return uv_idle_init(loop, handle); });
  if (error != 0) return error;
  timer_ =
      OpenHandle<uv_timer_t>(*open_, this, &error, [&](uv_timer_t* handle) { return uv_timer_init(loop, handle); });
  if (error != 0) return error;
  keep_ = OpenHandle<uv_async_t>(*open_, this, &error,
                                 [&](uv_async_t* handle) { return uv_async_init(loop, handle, nullptr); });
  return error;
}

// --- Listeners

uint32_t Hub::AddListener() {
  listeners_.emplace(++last_listener_, Listener());
  return last_listener_;
}

void Hub::SetSettings(uint32_t listener, std::shared_ptr<ServerSettings> settings) {
  settings->listener = listener;
  listeners_.at(listener).settings = std::move(settings);
}

int Hub::Listen(uint32_t listener, int fd, int backlog) {
  Listener& found = listeners_.at(listener);
  if (found.fd >= 0) return UV_EALREADY;
  if (const int error = ListenOnSocket(fd, backlog); error != 0) return error;
  const int error = poller_->Watch(fd, kListenerToken | listener, Interest::kNone, Interest::kRead);
  if (error != 0) return error;
  found.fd = fd;
  found.is_watched = true;
  found.is_stopped = false;
  ++listening_;
  if (found.is_referenced) CountRefs(1);
  return 0;
}

void Hub::StopListening(uint32_t listener) {
  const auto found = listeners_.find(listener);
  if (found == listeners_.end() || found->second.fd < 0) return;
  Watch(listener, found->second, false);
  found->second.fd = -1;
  found->second.is_stopped = true;
  --listening_;
  if (found->second.is_referenced) CountRefs(-1);
}

void Hub::RemoveListener(uint32_t listener) {
  StopListening(listener);
  listeners_.erase(listener);
}

void Hub::SetListenerRef(uint32_t listener, bool ref) {
  Listener& found = listeners_.at(listener);
  if (found.is_referenced == ref) return;
  found.is_referenced = ref;
  if (found.fd >= 0) CountRefs(ref ? 1 : -1);
}

void Hub::SetMaxConnections(uint32_t listener, size_t most) { listeners_.at(listener).max_connections = most; }

size_t Hub::PendingOf(uint32_t listener) const {
  const auto found = listeners_.find(listener);
  return found == listeners_.end() ? 0 : found->second.pending;
}

std::pair<SocketAddress, SocketAddress> Hub::TakeDropped(size_t number) {
  return number < dropped_.size() ? std::move(dropped_[number]) : std::pair<SocketAddress, SocketAddress>();
}

void Hub::Watch(uint32_t id, Listener& listener, bool watch) {
  if (listener.fd < 0 || listener.is_watched == watch) return;
  const auto bits = [](bool watched) { return static_cast<uint8_t>(watched ? Interest::kRead : Interest::kNone); };
  if (poller_->Watch(listener.fd, kListenerToken | id, bits(!watch), bits(watch)) == 0) listener.is_watched = watch;
}

void Hub::Accept(uint32_t id, Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int accepted = AcceptSocket(listener.fd);
    if (IsOutOfDescriptors(accepted)) return PauseAccepting();
    if (accepted < 0) return;
    UniqueSocket socket(accepted);
    if (listener.max_connections > 0 && listener.live >= listener.max_connections) {
      Drop(id, socket);
    } else {
      Add(listener, std::move(socket), {});
    }
  }
}

// Until a connection ends, or a while has passed: the system would tell of the same connection again and again.
void Hub::PauseAccepting() {
  accept_is_paused_ = true;
  for (auto& [id, listener] : listeners_) Watch(id, listener, false);
  SetTimer();
}

void Hub::ResumeAccepting() {
  if (!std::exchange(accept_is_paused_, false)) return;
  for (auto& [id, listener] : listeners_) Watch(id, listener, true);
}

void Hub::Drop(uint32_t id, const UniqueSocket& socket) {
  if (!sink_.Prepare()) return;
  sink_.Add(TlsEventKind::kDropped, id, id, static_cast<int32_t>(dropped_.size()));
  dropped_.emplace_back(PeerOf(socket.get()), LocalOf(socket.get()));
}

int Hub::Adopt(uint32_t listener, int fd, ByteView bytes) {
  Listener& found = listeners_.at(listener);
  const int copy = DuplicateSocket(fd);
  if (copy < 0) return copy;
  Add(found, UniqueSocket(copy), bytes);
  return 0;
}

void Hub::Add(Listener& listener, UniqueSocket socket, ByteView bytes) {
  if (free_slots_.empty() && slots_.size() == kMostSlots) return;  // closes the socket
  if (listener.pending >= kMostPending) DropOldest(listener);
  const uint32_t number = TakeSlot();
  Slot& slot = slots_[number];
  const uint32_t connection_id = number | slot.generation << kSlotBits;
  slot.connection = std::make_unique<Connection>(connection_id, std::move(socket), listener.settings, buffers_, sink_);
  slot.is_claimed = false;
  slot.is_referenced = true;
  ++live_;
  ++listener.live;
  ++listener.pending;
  CountRefs(1);
  auto& deadlines = listener.deadlines;
  const auto is_done = [this](uint32_t each) {
    const Connection* const found = Find(each);
    return found == nullptr || !found->handshaking();
  };
  while (!deadlines.empty() && is_done(deadlines.front().second)) deadlines.pop_front();
  deadlines.emplace_back(uv_now(loop_) + listener.settings->handshake_timeout_ms, connection_id);
  if (deadlines.size() == 1) SetTimer();
  if (bytes.size > 0) slot.connection->Prepend(bytes);
  Update(slot);
}

void Hub::DropOldest(Listener& listener) {
  while (!listener.deadlines.empty()) {
    const uint32_t oldest = listener.deadlines.front().second;
    listener.deadlines.pop_front();
    Connection* const found = Find(oldest);
    if (found == nullptr || found->ssl() != nullptr || SlotOf(oldest)->is_claimed) continue;
    Destroy(oldest);
    return;
  }
}

// --- Connections

uint32_t Hub::TakeSlot() {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

Hub::Slot* Hub::SlotOf(uint32_t id) {
  const uint32_t number = id & (kMostSlots - 1);
  if (number >= slots_.size()) return nullptr;
  Slot& slot = slots_[number];
  return slot.connection != nullptr && slot.connection->id() == id ? &slot : nullptr;
}

Connection* Hub::Find(uint32_t id) const {
  Slot* const slot = const_cast<Hub*>(this)->SlotOf(id);
  return slot == nullptr ? nullptr : slot->connection.get();
}

bool Hub::Claim(uint32_t id) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr || slot->is_claimed) return false;
  slot->is_claimed = true;
  LeaveListener(*slot, false);
  return true;
}

void Hub::LeaveListener(Slot& slot, bool is_gone) {
  const uint32_t id = slot.connection->settings().listener;
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  Listener& listener = found->second;
  if (is_gone) --listener.live;
  if (is_gone && slot.is_claimed) return;
  if (--listener.pending == 0 && listener.is_stopped) {
    idle_listeners_.push_back(id);
    WakeSoon();
  }
}

void Hub::SetRef(uint32_t id, bool ref) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr || slot->is_referenced == ref) return;
  slot->is_referenced = ref;
  CountRefs(ref ? 1 : -1);
}

void Hub::Destroy(uint32_t id) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr) return;
  poller_->Watch(slot->connection->fd(), id, slot->interest, Interest::kNone);
  slot->interest = Interest::kNone;
  slot->is_queued = false;
  if (std::exchange(slot->is_referenced, false)) CountRefs(-1);
  LeaveListener(*slot, true);
  slot->connection.reset();
  slot->generation = (slot->generation + 1) % kGenerations;
  free_slots_.push_back(id & (kMostSlots - 1));
  --live_;
  ResumeAccepting();
}

void Hub::Update(uint32_t id) {
  if (Slot* const slot = SlotOf(id); slot != nullptr) Update(*slot);
}

void Hub::Update(Slot& slot) {
  Connection& connection = *slot.connection;
  uint8_t wanted = Interest::kNone;
  if (connection.wants_to_read()) wanted |= Interest::kRead;
  if (connection.wants_to_write()) wanted |= Interest::kWrite;
  if (wanted != slot.interest) {
    if (poller_->Watch(connection.fd(), connection.id(), slot.interest, wanted) == 0) slot.interest = wanted;
  }
  if (connection.has_more()) Queue(slot);
}

void Hub::Queue(Slot& slot) {
  if (std::exchange(slot.is_queued, true)) return;
  ready_.push_back(slot.connection->id());
  WakeSoon();
}

void Hub::WakeSoon() {
  if (soon_ == nullptr || uv_is_active(reinterpret_cast<uv_handle_t*>(soon_.get())) != 0) return;
  uv_idle_start(soon_.get(),
                [](uv_idle_t* handle) { OrDieOfMemory([handle] { static_cast<Hub*>(handle->data)->RunReady(); }); });
}

// --- Turns

void Hub::OnReady(uint32_t token, bool readable, bool writable) {
  if ((token & kListenerToken) != 0) {
    const uint32_t id = token & ~kListenerToken;
    const auto found = listeners_.find(id);
    if (found != listeners_.end() && found->second.fd >= 0) Accept(id, found->second);
    return;
  }
  // JavaScript may run in Prepare().
  if (!sink_.Prepare()) return;
  if (Slot* const slot = SlotOf(token); slot != nullptr) Run(*slot, readable, writable);
}

// A handshake that has no time now is told of again.
void Hub::Run(Slot& slot, bool readable, bool writable) {
  Connection& connection = *slot.connection;
  if (connection.handshaking()) {
    const uint64_t now = uv_hrtime();
    if (turn_began_ == 0) turn_began_ = now;
    if (now - turn_began_ > kTurnNanoseconds) {
      if (connection.has_more()) Queue(slot);
      return;
    }
  }
  connection.Run(readable, writable);
  Update(slot);
}

void Hub::OnAllTold() {
  turn_began_ = 0;
  sink_.Deliver();
  if (!sink_.telling()) dropped_.clear();
}

void Hub::RunReady() {
  if (sink_.telling()) return;
  const std::vector<uint32_t> ready = std::exchange(ready_, {});
  const std::vector<uint32_t> idle_listeners = std::exchange(idle_listeners_, {});
  uv_idle_stop(soon_.get());
  for (const uint32_t id : ready) {
    Slot* slot = SlotOf(id);
    if (slot == nullptr) continue;
    slot->is_queued = false;
    if (!sink_.Prepare()) {
      if ((slot = SlotOf(id)) != nullptr) Queue(*slot);
      continue;
    }
    if ((slot = SlotOf(id)) != nullptr) Run(*slot, false, false);
  }
  for (const uint32_t id : idle_listeners) {
    if (sink_.Prepare()) sink_.Add(TlsEventKind::kListenerIdle, id, id, 0);
  }
  OnAllTold();
}

// --- Time

void Hub::SetTimer() {
  uint64_t due = UINT64_MAX;
  for (const auto& [id, listener] : listeners_) {
    if (!listener.deadlines.empty()) due = std::min(due, listener.deadlines.front().first);
  }
  const uint64_t now = uv_now(loop_);
  if (accept_is_paused_) due = std::min(due, now + kAcceptPauseMs);
  if (due == UINT64_MAX) return;
  const uint64_t wait = due > now ? due - now : 0;
  uv_timer_start(
      timer_.get(), [](uv_timer_t* handle) { OrDieOfMemory([handle] { static_cast<Hub*>(handle->data)->OnTimer(); }); },
      wait, 0);
}

void Hub::OnTimer() {
  if (sink_.telling()) return SetTimer();
  ResumeAccepting();
  const uint64_t now = uv_now(loop_);
  for (auto& [id, listener] : listeners_) TimeOutHandshakes(listener, now);
  OnAllTold();
  SetTimer();
}

// Tells no more than the sink has room for: JavaScript may remove a listener.
void Hub::TimeOutHandshakes(Listener& listener, uint64_t now) {
  auto& deadlines = listener.deadlines;
  while (!deadlines.empty() && deadlines.front().first <= now) {
    const uint32_t id = deadlines.front().second;
    Slot* const slot = SlotOf(id);
    if (slot != nullptr && slot->connection->handshaking()) {
      if (!sink_.HasRoom()) return;
      slot->connection->TimeOut();
      Update(*slot);
    }
    deadlines.pop_front();
  }
}

void Hub::CountRefs(int change) {
  const bool was = refs_ > 0;
  refs_ = static_cast<size_t>(static_cast<int64_t>(refs_) + change);
  if (was == (refs_ > 0) || keep_ == nullptr) return;
  auto* const handle = reinterpret_cast<uv_handle_t*>(keep_.get());
  if (was) {
    uv_unref(handle);
  } else {
    uv_ref(handle);
  }
}

// --- The end

void Hub::Drain() {
  for (auto& [id, listener] : listeners_) StopListening(id);
  for (Slot& slot : slots_) {
    if (slot.connection != nullptr) Destroy(slot.connection->id());
  }
}

void Hub::Close(std::function<void()> done) {
  Drain();
  keep_.reset();
  timer_.reset();
  soon_.reset();
  poller_.reset();
  open_->WhenAllClosed(std::move(done));
}

}  // namespace openssl_async
