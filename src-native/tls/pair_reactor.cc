#include "tls/pair_reactor.h"

#include <utility>

#include "base/memory.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// A token is the connection's id, whose highest bit is clear, and the highest bit for the pair's socket.
constexpr uint32_t kPairToken = 1U << 31;

// Nobody tells when the peer has everything.
constexpr uint64_t kCheckMs = 10;
constexpr uint64_t kMostIdleMs = 30'000;

}  // namespace

PairReactor::PairReactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, PairTraffic& traffic, int* error)
    : owner_(owner), traffic_(traffic), loop_(loop) {
  poller_ = std::make_unique<Poller>(loop, open, static_cast<Poller::Delegate&>(*this), error);
  if (*error != 0) return;
  const auto run = [this](const std::vector<uint32_t>& ids) {
    for (const uint32_t id : ids) {
      Pair* const pair = Find(id);
      if (pair != nullptr && std::exchange(pair->is_queued, false)) Run(id, Interest::kNone, Interest::kNone);
    }
  };
  soon_ = std::make_unique<TurnQueue>(loop, open, run, error);
  if (*error != 0) return;
  timer_ = OpenHandle<uv_timer_t>(open, this, error, [&](uv_timer_t* handle) { return uv_timer_init(loop, handle); });
}

PairReactor::~PairReactor() {
  for (auto& [id, pair] : pairs_) End(id, *pair, false);
}

PairReactor::Pair* PairReactor::Find(uint32_t id) {
  const auto found = pairs_.find(id);
  return found == pairs_.end() ? nullptr : found->second.get();
}

void PairReactor::Put(std::shared_ptr<SharedConnection> connection, UniqueSocket socket) {
  const std::unique_lock<std::mutex> lock(connection->mutex);
  const uint32_t id = connection->connection->id();
  auto pair = std::make_unique<Pair>(std::move(connection), std::move(socket), buffers_);
  Queue(id, *pair);  // ciphertext may have come before
  pairs_[id] = std::move(pair);
}

void PairReactor::Release(uint32_t id) {
  Pair* const pair = Find(id);
  if (pair == nullptr) return;
  pair->sink.Release();
  pair->last_progress_ms = uv_now(loop_);
  Queue(id, *pair);
  released_.push_back(id);
  SetTimer();
}

void PairReactor::SetTimer() {
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* handle) { OrDieOfMemory([handle] { static_cast<PairReactor*>(handle->data)->CheckReleased(); }); },
      kCheckMs, 0);
}

void PairReactor::CheckReleased() {
  for (const uint32_t id : std::exchange(released_, {})) {
    Pair* const pair = Find(id);
    if (pair == nullptr || pair->is_over) continue;
    if (IsOver(*pair) || uv_now(loop_) - pair->last_progress_ms > kMostIdleMs) {
      TellOver(id, *pair, TlsEventKind::kEnd, pair->sink.truncated() ? 1 : 0);
    } else {
      released_.push_back(id);
    }
  }
  if (!released_.empty()) SetTimer();
}

bool PairReactor::IsOver(Pair& pair) {
  if (!pair.sink.has_left()) return false;
  const int before = std::exchange(pair.unacknowledged, UnacknowledgedBytes(pair.connection->connection->fd()));
  if (before != pair.unacknowledged) pair.last_progress_ms = uv_now(loop_);
  return pair.unacknowledged == 0;
}

void PairReactor::SetSessionsKept(uint32_t id) {
  Pair* const pair = Find(id);
  if (pair == nullptr) return;
  const std::lock_guard<std::mutex> lock(pair->connection->mutex);
  if (ServerConnection* const server = pair->connection->connection->server()) server->SetSessionsKept();
  Queue(id, *pair);
}

bool PairReactor::Destroy(uint32_t id, bool reset) {
  Pair* const pair = Find(id);
  if (pair == nullptr) return false;
  End(id, *pair, reset);
  pairs_.erase(id);
  return true;
}

void PairReactor::End(uint32_t id, Pair& pair, bool reset) {
  Watch(id, pair, Interest::kNone, Interest::kNone);
  const std::lock_guard<std::mutex> lock(pair.connection->mutex);
  if (reset) ResetSocketOnClose(pair.connection->connection->fd());
  pair.connection->connection.reset();
}

// --- Turns

void PairReactor::OnReady(uint32_t token, uint8_t ready) {
  if ((token & kPairToken) != 0) {
    Run(token & ~kPairToken, Interest::kNone, ready);
  } else {
    Run(token, ready, Interest::kNone);
  }
}

void PairReactor::Run(uint32_t id, uint8_t connection_ready, uint8_t pair_ready) {
  Pair* const pair = Find(id);
  if (pair == nullptr || pair->is_over) return;
  pair->last_progress_ms = uv_now(loop_);
  const std::lock_guard<std::mutex> lock(pair->connection->mutex);
  if (!pair->connection->is_wanted) return;
  pair->sink.Run(connection_ready, pair_ready);
  if (pair->sink.TakeNewSessions()) owner_.OnPairTold(id, TlsEventKind::kNewSessions, 0);
  traffic_.read.fetch_add(pair->sink.TakeBytesRead(), std::memory_order_relaxed);
  traffic_.written.fetch_add(pair->sink.TakeBytesWritten(), std::memory_order_relaxed);
  Update(id, *pair);
}

void PairReactor::Update(uint32_t id, Pair& pair) {
  const Connection& connection = *pair.connection->connection;
  if (pair.sink.failure().has_value()) return TellOver(id, pair, TlsEventKind::kFailed, *pair.sink.failure());
  if (IsOver(pair)) return TellOver(id, pair, TlsEventKind::kEnd, pair.sink.truncated() ? 1 : 0);
  uint8_t wanted = Interest::kNone;
  if (connection.wants_to_read()) wanted |= Interest::kRead;
  if (connection.wants_to_write()) wanted |= Interest::kWrite;
  Watch(id, pair, wanted, pair.sink.interest());
  if (connection.has_more()) Queue(id, pair);
}

void PairReactor::Watch(uint32_t id, Pair& pair, uint8_t connection_interest, uint8_t pair_interest) {
  const int fd = pair.connection->connection->fd();
  if (poller_->Watch(fd, id, pair.connection_interest, connection_interest) == 0) {
    pair.connection_interest = connection_interest;
  }
  if (poller_->Watch(pair.sink.fd(), id | kPairToken, pair.pair_interest, pair_interest) == 0) {
    pair.pair_interest = pair_interest;
  }
}

void PairReactor::TellOver(uint32_t id, Pair& pair, TlsEventKind kind, int32_t value) {
  pair.is_over = true;
  Watch(id, pair, Interest::kNone, Interest::kNone);
  owner_.OnPairTold(id, kind, value);
}

void PairReactor::Queue(uint32_t id, Pair& pair) {
  if (!std::exchange(pair.is_queued, true)) soon_->Add(id);
}

}  // namespace openssl_async
