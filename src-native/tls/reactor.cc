#include "tls/reactor.h"

#include <algorithm>
#include <iterator>

#include "base/memory.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// An id is a slot and the slot's generation, which is never 0; a listener's token has the highest bit.
constexpr uint32_t kGenerations = 1U << 11;
constexpr uint32_t kListenerToken = 1U << 31;

constexpr int kAcceptsPerTurn = 64;
// Handshakes end a turn of the loop after this; records go on.
constexpr uint64_t kTurnNanoseconds = 2'000'000;
constexpr uint64_t kAcceptPauseMs = 100;
// How many of the oldest connections are looked at for a silent one.
constexpr int kMostLooked = 64;
constexpr uint64_t kWaitingMs = 10;
constexpr uint64_t kLongWaitMs = 1000;

uint8_t InterestOf(const Connection& connection) {
  uint8_t wanted = Interest::kNone;
  if (connection.fd() < 0) return wanted;
  if (connection.wants_to_read()) wanted |= Interest::kRead;
  if (connection.wants_hang_up()) wanted |= Interest::kHangUp;
  if (connection.wants_to_write() && !connection.is_in_job()) wanted |= Interest::kWrite;
  return wanted;
}

bool IsOutOfDescriptors(int error) {
  return error == UV_EMFILE || error == UV_ENFILE || error == UV_ENOBUFS || error == UV_ENOMEM;
}

}  // namespace

Reactor::Reactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, int* error) : owner_(owner), loop_(loop) {
  poller_ = std::make_unique<Poller>(loop, open, static_cast<Poller::Delegate&>(*this), error);
  if (*error != 0) return;
  soon_ = std::make_unique<TurnQueue>(
      loop, open, [this](const std::vector<uint32_t>& ids) { RunQueued(ids); }, error);
  if (*error != 0) return;
  timer_ = OpenHandle<uv_timer_t>(open, this, error, [&](uv_timer_t* handle) { return uv_timer_init(loop, handle); });
}

Reactor::~Reactor() = default;

// --- Listeners

int Reactor::Watch(const std::shared_ptr<Listener>& listener) {
  Watched& watched = listeners_[listener->id()];
  watched = {listener, false};
  return SetActive(watched, true);
}

void Reactor::Stop(Listener& listener) {
  listener.Stop([this](int fd) { poller_->Forget(fd); });
}

int Reactor::SetActive(Watched& watched, bool is_active) {
  if (watched.is_active == is_active) return 0;
  const auto bits = [](bool reads) { return static_cast<uint8_t>(reads ? Interest::kRead : Interest::kNone); };
  int error = 0;
  watched.listener->WithSocket([&](int fd) {
    error = poller_->Watch(fd, kListenerToken | watched.listener->id(), bits(!is_active), bits(is_active));
  });
  if (error == 0) watched.is_active = is_active;
  return error;
}

void Reactor::Accept(uint32_t id) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  const std::shared_ptr<Listener> listener = found->second.listener;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int accepted = listener->Accept();
    if (IsOutOfDescriptors(accepted)) return PauseAccepting();
    if (accepted < 0) return;
    owner_.OnAccepted(listener, UniqueSocket(accepted));
  }
}

// Until a connection ends, or a while has passed: the system would tell of the same connection again and again.
void Reactor::PauseAccepting() {
  accepts_again_ = uv_now(loop_) + kAcceptPauseMs;
  for (auto& [id, watched] : listeners_) SetActive(watched, false);
  SetTimer();
}

void Reactor::ResumeAccepting() {
  if (std::exchange(accepts_again_, 0) == 0) return;
  for (auto& [id, watched] : listeners_) SetActive(watched, true);
}

// --- Connections

const Reactor::Slot* Reactor::SlotOf(uint32_t id) const {
  const uint32_t number = SlotNumber(id);
  if (number >= slots_.size()) return nullptr;
  const Slot& slot = slots_[number];
  return slot.is_reserved && IdOf(number) == id ? &slot : nullptr;
}

uint32_t Reactor::Reserve() {
  size_t number = slots_.size();
  if (!free_slots_.empty()) {
    number = free_slots_.back();
    free_slots_.pop_back();
  } else if (number < kMostSlots) {
    slots_.emplace_back();
  } else {
    return 0;
  }
  Slot& slot = slots_[number];
  slot.is_reserved = true;
  slot.generation = slot.generation % (kGenerations - 1) + 1;
  ++size_;
  return IdOf(number);
}

void Reactor::Release(uint32_t id) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr) return;
  Take(id).reset();
  slot->is_reserved = false;
  free_slots_.push_back(SlotNumber(id));
  --size_;
  ResumeAccepting();
}

void Reactor::Put(uint32_t id, std::unique_ptr<Connection> connection) {
  Slot& slot = *SlotOf(id);
  slot.connection = std::move(connection);
  if (slot.connection->unfinished()) SetDeadline(slot, id, slot.connection->deadline_ms());
  Update(slot, id);
}

std::unique_ptr<Connection> Reactor::Take(uint32_t id) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr || slot->connection == nullptr) return nullptr;
  poller_->Watch(slot->connection->fd(), id, slot->interest, Interest::kNone);
  slot->interest = Interest::kNone;
  slot->is_queued = false;
  slot->is_waiting = false;
  SetDeadline(*slot, id, 0);
  return std::move(slot->connection);
}

Connection* Reactor::Find(uint32_t id) const {
  const Slot* const slot = SlotOf(id);
  return slot == nullptr ? nullptr : slot->connection.get();
}

void Reactor::Update(uint32_t id) {
  Slot* const slot = SlotOf(id);
  if (slot != nullptr && slot->connection != nullptr) Update(*slot, id);
}

void Reactor::Update(Slot& slot, uint32_t id) {
  const Connection& connection = *slot.connection;
  const uint8_t wanted = InterestOf(connection);
  if (wanted != slot.interest && poller_->Watch(connection.fd(), id, slot.interest, wanted) == 0) {
    slot.interest = wanted;
  }
  if (slot.deadline != 0 && !connection.unfinished()) SetDeadline(slot, id, 0);
  if (connection.has_more()) Queue(slot, id);
  if (connection.waits_for_room()) Wait(slot, id);
}

bool Reactor::DropOldestSilent() {
  int looked = 0;
  for (const auto& [deadline, id] : deadlines_) {
    if (++looked > kMostLooked) return false;
    const Connection* const found = Find(id);
    if (found == nullptr || !found->silent() || found->claimed()) continue;
    Release(id);
    return true;
  }
  return false;
}

// --- Turns

void Reactor::Queue(Slot& slot, uint32_t id) {
  if (std::exchange(slot.is_queued, true)) return;
  soon_->Add(id);
}

void Reactor::OnReady(uint32_t token, uint8_t ready) {
  if ((token & kListenerToken) != 0) {
    Accept(token & ~kListenerToken);
  } else if (owner_.BeforeTurn()) {
    Run(token, ready);
  }
}

// A handshake that has no time now is told of again.
void Reactor::Run(uint32_t id, uint8_t ready) {
  Slot* const slot = SlotOf(id);
  if (slot == nullptr || slot->connection == nullptr) return;
  Connection& connection = *slot->connection;
  // A hang-up is told once, and costs nothing.
  if ((connection.handshaking() || connection.shakes_again()) && (ready & Interest::kHangUp) == 0) {
    const uint64_t now = uv_hrtime();
    if (turn_began_ == 0) turn_began_ = now;
    if (now - turn_began_ > kTurnNanoseconds) {
      if (connection.has_more()) Queue(*slot, id);
      return;
    }
  }
  if ((ready & Interest::kHangUp) != 0) connection.HangUp();
  connection.Run((ready & Interest::kRead) != 0, (ready & Interest::kWrite) != 0);
  Update(*slot, id);
  owner_.AfterTurn(id, connection);
}

void Reactor::OnAllTold() {
  turn_began_ = 0;
  LetWaitingIn();
  owner_.AfterTurns();
}

void Reactor::RunQueued(const std::vector<uint32_t>& ids) {
  for (const uint32_t id : ids) {
    Slot* slot = SlotOf(id);
    if (slot == nullptr || !slot->is_queued) continue;
    slot->is_queued = false;
    const bool may_run = owner_.BeforeTurn();
    slot = SlotOf(id);
    if (slot == nullptr || slot->connection == nullptr) continue;
    if (may_run) {
      Run(id, 0);
    } else {
      Queue(*slot, id);
    }
  }
  OnAllTold();
}

// --- Handshakes that wait for the end of others

void Reactor::Wait(Slot& slot, uint32_t id) {
  if (std::exchange(slot.is_waiting, true)) return;
  waiting_[slot.connection->listener_id()].emplace_back(uv_now(loop_), id);
  SetTimer();
}

// First come, first served. Where the first one has waited long, its client may give up soon, and so may all behind it:
// the last one is served then, so that some are.
void Reactor::LetWaitingIn() {
  for (auto listener = waiting_.begin(); listener != waiting_.end();) {
    auto& queue = listener->second;
    while (!queue.empty()) {
      const bool is_overloaded = uv_now(loop_) - queue.front().first > kLongWaitMs;
      const uint32_t id = (is_overloaded ? queue.back() : queue.front()).second;
      Slot* const slot = SlotOf(id);
      if (slot != nullptr && slot->is_waiting) {
        if (slot->connection->waits_for_room() && !slot->connection->server()->ComeIn()) break;
        slot->is_waiting = false;
        Update(*slot, id);
      }
      if (is_overloaded) {
        queue.pop_back();
      } else {
        queue.pop_front();
      }
    }
    listener = queue.empty() ? waiting_.erase(listener) : std::next(listener);
  }
}

// --- Time

void Reactor::SetDeadline(Slot& slot, uint32_t id, uint64_t deadline) {
  if (slot.deadline == deadline) return;
  if (slot.deadline != 0) deadlines_.erase({slot.deadline, id});
  slot.deadline = deadline;
  if (deadline == 0) return;
  deadlines_.insert({deadline, id});
  SetTimer();
}

// A timer that comes too early is set again then: most deadlines are met.
void Reactor::SetTimer() {
  uint64_t due = accepts_again_ == 0 ? UINT64_MAX : accepts_again_;
  if (!deadlines_.empty()) due = std::min(due, deadlines_.begin()->first);
  // Room comes of other threads' handshakes, too.
  if (!waiting_.empty()) due = std::min(due, uv_now(loop_) + kWaitingMs);
  if (due == UINT64_MAX || (timer_due_ != 0 && timer_due_ <= due)) return;
  timer_due_ = due;
  const uint64_t now = uv_now(loop_);
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* handle) { OrDieOfMemory([handle] { static_cast<Reactor*>(handle->data)->OnTimer(); }); },
      due > now ? due - now : 0, 0);
}

void Reactor::OnTimer() {
  timer_due_ = 0;
  const uint64_t now = uv_now(loop_);
  if (accepts_again_ != 0 && accepts_again_ <= now) ResumeAccepting();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now && owner_.BeforeTurn()) {
    if (deadlines_.empty() || deadlines_.begin()->first > now) break;
    const uint32_t id = deadlines_.begin()->second;
    Slot& slot = *SlotOf(id);
    SetDeadline(slot, id, 0);
    slot.connection->TimeOut();
    Update(slot, id);
    owner_.AfterTurn(id, *slot.connection);
  }
  OnAllTold();
  SetTimer();
}

}  // namespace openssl_async
