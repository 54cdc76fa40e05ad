#include "tls/hub.h"

#include <string>

#include "tls/client_connection.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// Connections of the event loop that have said nothing. When there are more, the oldest one is closed.
constexpr size_t kMostPending = 10'000;
// What is read of a lent connection before it is told so.
constexpr size_t kLittleRead = RecordSink::kMostUnread / 4;

}  // namespace

Result<std::unique_ptr<Hub>> Hub::Create(uv_loop_t* loop, Scheduler& scheduler, OperationRunner& operations,
                                         BatchSink::Find find, BatchSink::Tell tell) {
  std::unique_ptr<Hub> hub(new Hub(scheduler, operations, std::move(find), std::move(tell)));
  const int error = hub->Open(loop);
  if (error == 0) return hub;
  Hub* const failed = hub.release();
  failed->Close([failed] { delete failed; });
  return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}};
}

Hub::Hub(Scheduler& scheduler, OperationRunner& operations, BatchSink::Find find, BatchSink::Tell tell)
    : sink_(std::move(find), std::move(tell)), jobs_(scheduler, operations, [this] { AfterTurns(); }) {}

Hub::~Hub() = default;

int Hub::Open(uv_loop_t* loop) {
  int error = 0;
  inbox_ = CompletionQueue::Create(loop, *open_, *this, &error);
  if (error != 0) return error;
  threads_ = std::make_unique<HandshakeThreads>(inbox_);
  requests_ = std::make_unique<RecordRequests>(threads_->buffers());
  reactor_ = std::make_unique<Reactor>(loop, *open_, static_cast<Reactor::Owner&>(*this), &error);
  if (error != 0) return error;
  keep_ = OpenHandle<uv_async_t>(*open_, this, &error,
                                 [&](uv_async_t* handle) { return uv_async_init(loop, handle, nullptr); });
  return error;
}

// --- Listeners

uint32_t Hub::AddListener() {
  const uint32_t id = ++last_listener_;
  const auto tell_idle = [inbox = inbox_, id] {
    auto parcel = std::make_unique<Parcel>(Parcel::Kind::kIdle);
    parcel->id = id;
    Send(*inbox, std::move(parcel));
  };
  servers_[id].listener = std::make_shared<Listener>(id, tell_idle, inline_budget_);
  return id;
}

void Hub::SetSettings(uint32_t listener, std::shared_ptr<const ServerSettings> settings) {
  servers_.at(listener).listener->SetSettings(std::move(settings));
}

int Hub::Listen(uint32_t listener, int fd, int backlog) {
  Server& server = servers_.at(listener);
  if (server.is_listening) return UV_EALREADY;
  const int copy = DuplicateSocket(fd);
  if (copy < 0) return copy;
  UniqueSocket socket(copy);
  if (const int error = ListenOnSocket(copy, backlog); error != 0) return error;
  server.listener->Start(std::move(socket));
  server.is_on_thread = Poller::kForgetsAnywhere && threads_->Prepare(server.listener->settings()->threads);
  if (server.is_on_thread) {
    threads_->accepting().Watch(server.listener);
  } else if (const int error = reactor_->Watch(server.listener); error != 0) {
    reactor_->Stop(*server.listener);
    return error;
  }
  server.is_listening = true;
  UpdateRef(server);
  return 0;
}

void Hub::StopListening(uint32_t listener) {
  const auto found = servers_.find(listener);
  if (found == servers_.end() || !found->second.is_listening) return;
  Server& server = found->second;
  server.is_listening = false;
  if (server.is_on_thread) {
    threads_->accepting().Stop(*server.listener);
  } else {
    reactor_->Stop(*server.listener);
    reactor_->Unwatch(listener);
  }
  UpdateRef(server);
}

void Hub::RemoveListener(uint32_t listener) {
  StopListening(listener);
  const auto found = servers_.find(listener);
  if (found == servers_.end()) return;
  if (found->second.holds_loop) CountRefs(-1);
  servers_.erase(found);
}

void Hub::SetListenerRef(uint32_t listener, bool ref) {
  Server& server = servers_.at(listener);
  server.is_referenced = ref;
  UpdateRef(server);
}

// Handshakes keep the loop alive when nobody listens any more.
void Hub::UpdateRef(Server& server) {
  const bool holds = server.is_listening ? server.is_referenced : server.listener->pending() > 0;
  if (std::exchange(server.holds_loop, holds) != holds) CountRefs(holds ? 1 : -1);
}

void Hub::SetMaxConnections(uint32_t listener, size_t most) { servers_.at(listener).listener->SetMaxConnections(most); }

size_t Hub::PendingOf(uint32_t listener) const {
  const auto found = servers_.find(listener);
  return found == servers_.end() ? 0 : found->second.listener->pending();
}

std::pair<SocketAddress, SocketAddress> Hub::TakeDropped(size_t number) {
  return number < dropped_.size() ? std::move(dropped_[number]) : std::pair<SocketAddress, SocketAddress>();
}

void Hub::OnAccepted(const std::shared_ptr<Listener>& listener, UniqueSocket socket) {
  if (!listener->full()) {
    Place(std::make_unique<ServerConnection>(std::move(socket), Admission(listener)));
  } else if (sink_.Prepare()) {
    TellDropped(*listener, {PeerOf(socket.get()), LocalOf(socket.get())});
  }
}

void Hub::TellDropped(const Listener& listener, std::pair<SocketAddress, SocketAddress> addresses) {
  ++metrics().dropped;
  sink_.Add(TlsEventKind::kDropped, listener.id(), listener.id(), static_cast<int32_t>(dropped_.size()));
  dropped_.push_back(std::move(addresses));
}

int Hub::Adopt(uint32_t listener, int fd, ByteView bytes) {
  const int copy = DuplicateSocket(fd);
  if (copy < 0) return copy;
  auto connection = std::make_unique<ServerConnection>(UniqueSocket(copy), Admission(servers_.at(listener).listener));
  if (bytes.size > 0) connection->Prepend(bytes);
  connection->SkipAccepted();
  Place(std::move(connection));
  return 0;
}

int32_t Hub::Serve(uint32_t listener, int fd, ByteView bytes) {
  Admission admission(servers_.at(listener).listener);
  std::unique_ptr<ServerConnection> connection;
  if (fd < 0) {
    connection = std::make_unique<ServerConnection>(std::make_unique<MemoryTransport>(), std::move(admission));
  } else {
    const int copy = DuplicateSocket(fd);
    if (copy < 0) return copy;
    connection = std::make_unique<ServerConnection>(UniqueSocket(copy), std::move(admission));
  }
  if (bytes.size > 0) connection->Prepend(bytes);
  connection->SkipAccepted();
  connection->Claim();
  const uint32_t id = Add(std::move(connection));
  if (id == 0) return UV_ENFILE;
  GoOn(id);
  return static_cast<int32_t>(id);
}

int32_t Hub::Connect(ClientSettings settings, int fd, ByteView bytes) {
  settings.inline_budget = inline_budget_;
  std::unique_ptr<Connection> connection;
  if (fd < 0) {
    connection = std::make_unique<ClientConnection>(std::make_unique<MemoryTransport>(), std::move(settings));
  } else {
    const int copy = DuplicateSocket(fd);
    if (copy < 0) return copy;
    connection = std::make_unique<ClientConnection>(UniqueSocket(copy), std::move(settings));
  }
  if (bytes.size > 0) connection->Prepend(bytes);
  const uint32_t id = Add(std::move(connection));
  if (id == 0) return UV_ENFILE;
  EntryOf(id).is_client = true;
  ++clients_;
  GoOn(id);
  return static_cast<int32_t>(id);
}

// --- Connections

// A new connection goes where its handshake runs.
void Hub::Place(std::unique_ptr<ServerConnection> connection) {
  const size_t threads = connection->terms().threads;
  if (threads_->Prepare(threads)) {
    auto parcel = std::make_unique<Parcel>(Parcel::Kind::kConnection);
    parcel->connection = std::move(connection);
    threads_->Choose(threads).Give(std::move(parcel));
    return;
  }
  if (connection->listener().pending() > kMostPending) reactor_->DropOldestSilent();
  Add(std::move(connection));
}

// 0 when there is no room: the connection has ended.
uint32_t Hub::Add(std::unique_ptr<Connection> connection) {
  const uint32_t id = reactor_->Reserve();
  if (id == 0) return 0;
  if (entries_.size() <= Reactor::SlotNumber(id)) entries_.resize(Reactor::SlotNumber(id) + 1);
  EntryOf(id) = {};
  EntryOf(id).is_referenced = true;
  connection->Enter(id, TlsPlace::kLoop, buffers_, sink_);
  reactor_->Put(id, std::move(connection));
  UpdateRef(id);
  return id;
}

void Hub::Update(uint32_t id) {
  reactor_->Update(id);
  if (reactor_->IsReserved(id)) UpdateRef(id);
}

// A stream keeps the loop alive, or does not, by itself.
bool Hub::IsActive(uint32_t id, const Connection& connection) const {
  if (connection.fd() >= 0) return connection.active();
  return connection.is_in_job() || connection.waits_for_room() || reactor_->IsQueued(id);
}

void Hub::UpdateRef(uint32_t id) {
  Entry& entry = EntryOf(id);
  const Connection* const connection = reactor_->Find(id);
  const bool is_active = entry.thread != nullptr || (connection != nullptr && IsActive(id, *connection));
  const bool holds = entry.is_referenced && is_active;
  if (std::exchange(entry.holds_loop, holds) != holds) CountRefs(holds ? 1 : -1);
}

void Hub::GoOn(uint32_t id) {
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr || !connection->handshaking()) return;
  // JavaScript carries the ciphertext of connections without a socket.
  const bool may_move = connection->fd() >= 0 && !connection->StaysOnLoop();
  const size_t threads = connection->terms().threads;
  if (may_move && threads_->Prepare(threads)) {
    Move(id, threads_->Choose(threads));
  } else {
    Update(id);
  }
}

void Hub::Move(uint32_t id, HandshakeThread& thread) {
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kConnection);
  parcel->id = id;
  parcel->connection = reactor_->Take(id);
  EntryOf(id).thread = &thread;
  thread.Give(std::move(parcel));
}

bool Hub::Claim(uint32_t id) {
  const ConnectionView connection = Look(id);
  if (!connection || connection->claimed()) return false;
  connection->server()->Claim();
  return true;
}

void Hub::SetRef(uint32_t id, bool ref) {
  if (!reactor_->IsReserved(id)) return;
  EntryOf(id).is_referenced = ref;
  UpdateRef(id);
}

void Hub::Destroy(uint32_t id, bool reset) {
  if (!reactor_->IsReserved(id)) return;
  Entry& entry = EntryOf(id);
  entry.is_referenced = false;
  if (std::exchange(entry.is_client, false)) --clients_;
  if (std::exchange(entry.holds_loop, false)) CountRefs(-1);
  if (HandshakeThread* const thread = std::exchange(entry.thread, nullptr)) {
    requests_->Destroy(*thread, id, reset);
  }
  if (std::exchange(entry.is_lent, false)) --lent_;
  if (const std::shared_ptr<SharedConnection> shared = std::move(entry.shared)) {
    const std::lock_guard<std::mutex> lock(shared->mutex);
    shared->is_wanted = false;
  }
  if (const Connection* const connection = reactor_->Find(id);
      connection != nullptr && reset && connection->fd() >= 0) {
    ResetSocketOnClose(connection->fd());
  }
  std::unique_ptr<Connection> connection = reactor_->Take(id);
  if (connection != nullptr && connection->is_in_job()) {
    ++metrics().abandoned;
    jobs_.Abandon(std::move(connection));
  }
  reactor_->Release(id);
}

// --- Turns

void Hub::AfterTurn(uint32_t id, Connection& connection) {
  if (connection.wants_job()) jobs_.Start(connection);
  if (MayLend(connection)) Lend(id);
  UpdateRef(id);
}

// A connection that cannot tell now has its turn later.
void Hub::EndJobs() {
  for (const uint32_t id : jobs_.TakeEnded()) ended_jobs_.push_back(id);
  while (!ended_jobs_.empty() && sink_.Prepare() && !ended_jobs_.empty()) {
    const uint32_t id = ended_jobs_.front();
    ended_jobs_.pop_front();
    Connection* const connection = reactor_->Find(id);
    if (connection == nullptr) continue;
    metrics().pauses += connection->EndJob();
    Update(id);
  }
}

// --- Arrivals from the threads

void Hub::OnCompletions() {
  TakeParcels(*inbox_, [this](std::unique_ptr<Parcel> parcel) { arrivals_.push_back(std::move(parcel)); });
  AfterTurns();
}

// Parcels that cannot be told of now wait for the next turns.
void Hub::TakeArrivals() {
  while (!arrivals_.empty() && sink_.Prepare() && !arrivals_.empty()) {
    if (ArriveRecord(*arrivals_.front())) continue;
    const std::unique_ptr<Parcel> parcel = std::move(arrivals_.front());
    arrivals_.pop_front();
    Arrive(*parcel);
  }
}

void Hub::Arrive(Parcel& parcel) {
  if (parcel.kind == Parcel::Kind::kConnection) {
    ArriveConnection(parcel);
  } else if (parcel.kind == Parcel::Kind::kPairTold) {
    ArrivePairTold(parcel);
  } else if (parcel.kind == Parcel::Kind::kDropped) {
    TellDropped(*parcel.listener, std::move(parcel.addresses));
  } else if (parcel.kind == Parcel::Kind::kIdle) {
    const auto found = servers_.find(parcel.id);
    if (found == servers_.end() || !found->second.listener->SetIdle()) return;
    UpdateRef(found->second);
    sink_.Add(TlsEventKind::kListenerIdle, parcel.id, parcel.id, 0);
  }
}

void Hub::ArriveConnection(Parcel& parcel) {
  uint32_t id = parcel.id;
  if (id == 0) {
    id = Add(std::move(parcel.connection));
  } else if (reactor_->IsReserved(id)) {
    EntryOf(id).thread = nullptr;
    parcel.connection->Enter(id, TlsPlace::kLoop, buffers_, sink_);
    reactor_->Put(id, std::move(parcel.connection));
  }
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr) return;
  ++metrics().moved;
  ConnectionEvents& events = sink_;
  for (const std::string& line : parcel.key_log) events.OnKeyLog(*connection, line.c_str());
  for (const auto& [kind, value] : parcel.events) events.OnEvent(*connection, kind, value);
  AfterTurn(id, *connection);
}

// Tells the next message of a parcel; false when there is none.
bool Hub::ArriveRecord(Parcel& parcel) {
  if (parcel.told == parcel.records.messages.size()) {
    threads_->buffers().Give(std::move(parcel.records.bytes));
    return false;
  }
  const RecordEvent& event = parcel.records.messages[parcel.told++];
  const auto* const bytes = reinterpret_cast<const unsigned char*>(parcel.records.bytes.data()) + parcel.told_bytes;
  parcel.told_bytes += event.size;
  if (!IsLent(event.id)) return true;
  Entry& entry = EntryOf(event.id);
  if (event.kind == TlsEventKind::kData) {
    sink_.AddData(event.id, {bytes, event.size});
    entry.read += event.size;
    if (entry.read >= kLittleRead) Ask(event.id, RecordRequest::Kind::kRead, std::exchange(entry.read, 0));
  } else if (const ConnectionView connection = Look(event.id)) {
    sink_.OnEvent(*connection.get(), event.kind, event.value);
    if (event.kind == TlsEventKind::kRenegotiating) renegotiating_.push_back(event.id);
  }
  return true;
}

void Hub::ArrivePairTold(const Parcel& parcel) {
  const ConnectionView connection = Look(parcel.id);
  if (!connection) return;
  for (const auto& [kind, value] : parcel.events) sink_.OnEvent(*connection.get(), kind, value);
}

// JavaScript has heard of their peers' handshakes, and has destroyed those that may not go on.
void Hub::LetRenegotiate() {
  for (const uint32_t id : renegotiating_) {
    if (IsLent(id)) Ask(id, RecordRequest::Kind::kRead, RecordSink::kUnreadOfHandshake);
  }
  renegotiating_.clear();
}

void Hub::AfterTurns() {
  EndJobs();
  TakeArrivals();
  sink_.Deliver();
  if (sink_.telling()) return;
  LetRenegotiate();
  requests_->Send();
  dropped_.clear();
  if (reactor_ != nullptr && (!arrivals_.empty() || !ended_jobs_.empty())) reactor_->WakeSoon();
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

size_t Hub::live() const {
  size_t count = 0;
  for (const auto& [id, server] : servers_) count += server.listener->live();
  return count;
}

size_t Hub::pending() const {
  size_t count = 0;
  for (const auto& [id, server] : servers_) count += server.listener->pending();
  return count;
}

bool Hub::idle() const {
  if (reactor_->size() > 0) return false;
  for (const auto& [id, server] : servers_) {
    if (server.is_listening || server.listener->live() > 0 || server.listener->pending() > 0) return false;
  }
  return true;
}

void Hub::Drain() {
  for (const auto& [id, server] : servers_) StopListening(id);
  requests_->Clear();
  threads_->Stop();
  for (Entry& entry : entries_) {
    entry.thread = nullptr;
    entry.shared.reset();
  }
  inbox_->Close();
  TakeParcels(*inbox_, [](const std::unique_ptr<Parcel>&) {});
  arrivals_.clear();
  ended_jobs_.clear();
  jobs_.TakeEnded();
  std::vector<uint32_t> ids;
  reactor_->ForEachId([&](uint32_t id) { ids.push_back(id); });
  for (const uint32_t id : ids) Destroy(id, false);
}

void Hub::Close(std::function<void()> done) {
  if (keep_ != nullptr) {
    Drain();
  } else if (inbox_ != nullptr) {
    inbox_->Close();
  }
  keep_.reset();
  reactor_.reset();
  open_->WhenAllClosed(std::move(done));
}

}  // namespace openssl_async
