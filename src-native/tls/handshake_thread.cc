#include "tls/handshake_thread.h"

#include "base/memory.h"
#include "pool/worker_thread.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// Silent connections of one thread. When there are more, the oldest one is closed.
constexpr size_t kMostConnections = 10'000;
// A connection waits no longer for others that leave with it.
constexpr uint64_t kMostLeavingNs = 500'000;

}  // namespace

std::unique_ptr<HandshakeThread> HandshakeThread::Start(std::shared_ptr<CompletionQueue> to_loop, Choose choose,
                                                        ThreadCommons& commons) {
  std::unique_ptr<HandshakeThread> made(new HandshakeThread(std::move(to_loop), std::move(choose), commons));
  if (uv_loop_init(&made->loop_) != 0) return nullptr;
  if (made->Open() == 0) {
    HandshakeThread* const self = made.get();
    made->thread_ = StartWorkerThread([self] {
      NameWorkerThread("openssl-tls");
      self->Run();
    });
  }
  if (made->thread_.joinable()) return made;
  made->Close();
  made->Run();
  return nullptr;
}

void HandshakeThread::End() {
  if (!thread_.joinable()) return;
  Give(std::make_unique<Parcel>(Parcel::Kind::kEnd));
  thread_.join();
}

int HandshakeThread::Open() {
  int error = 0;
  inbox_ = CompletionQueue::Create(&loop_, open_, *this, &error);
  if (error != 0) return error;
  inbox_->Ref();
  reactor_ = std::make_unique<Reactor>(&loop_, open_, static_cast<Reactor::Owner&>(*this), &error);
  return error;
}

// The loop ends when all its handles are closed.
void HandshakeThread::Close() {
  reactor_.reset();
  pairs_.reset();
  records_.reset();
  if (inbox_ != nullptr) {
    inbox_->Close();
    TakeParcels(*inbox_, [](const std::unique_ptr<Parcel>&) {});
  }
}

void HandshakeThread::Run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

// --- Messages

void HandshakeThread::Give(std::unique_ptr<Parcel> parcel) {
  if (parcel->kind == Parcel::Kind::kConnection || parcel->kind == Parcel::Kind::kPair ||
      parcel->kind == Parcel::Kind::kLend) {
    ++load_;
  }
  Send(*inbox_, std::move(parcel));
}

void HandshakeThread::Watch(const std::shared_ptr<Listener>& listener) {
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kWatch);
  parcel->listener = listener;
  Give(std::move(parcel));
}

void HandshakeThread::Stop(Listener& listener) {
  reactor_->Stop(listener);
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kUnwatch);
  parcel->id = listener.id();
  Give(std::move(parcel));
}

void HandshakeThread::OnCompletions() {
  bool ends = false;
  TakeParcels(*inbox_, [&](std::unique_ptr<Parcel> parcel) {
    ends |= parcel->kind == Parcel::Kind::kEnd;
    Take(std::move(parcel));
  });
  if (ends) Close();
}

void HandshakeThread::Take(std::unique_ptr<Parcel> parcel) {
  switch (parcel->kind) {
    case Parcel::Kind::kConnection:
      Enter(std::move(parcel));
      return;
    case Parcel::Kind::kWatch:
      reactor_->Watch(parcel->listener);
      return;
    case Parcel::Kind::kUnwatch:
      reactor_->Unwatch(parcel->id);
      return;
    case Parcel::Kind::kDestroy:
      Destroy(parcel->id, parcel->resets);
      return;
    case Parcel::Kind::kPair:
      EnterPair(*parcel);
      return;
    case Parcel::Kind::kRelease:
      if (pairs_ != nullptr) pairs_->Release(parcel->id);
      return;
    case Parcel::Kind::kSessionsKept:
      if (pairs_ != nullptr) pairs_->SetSessionsKept(parcel->id);
      return;
    case Parcel::Kind::kLend:
      EnterLent(*parcel);
      return;
    case Parcel::Kind::kRequests:
      if (records_ != nullptr) records_->Take(parcel->requests);
      commons_.buffers.Give(std::move(parcel->requests.bytes));
      return;
    case Parcel::Kind::kRecords:
    case Parcel::Kind::kPairTold:
    case Parcel::Kind::kDropped:
    case Parcel::Kind::kIdle:
    case Parcel::Kind::kEnd:
      return;
  }
}

// --- Connections

void HandshakeThread::OnAccepted(const std::shared_ptr<Listener>& listener, UniqueSocket socket) {
  if (listener->full()) {
    auto parcel = std::make_unique<Parcel>(Parcel::Kind::kDropped);
    parcel->listener = listener;
    parcel->addresses = {PeerOf(socket.get()), LocalOf(socket.get())};
    Send(*to_loop_, std::move(parcel));
    return;
  }
  if (reactor_->size() >= kMostConnections && reactor_->DropOldestSilent()) --load_;
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kConnection);
  parcel->connection = std::make_unique<ServerConnection>(std::move(socket), Admission(listener));
  HandshakeThread& thread = choose_(parcel->connection->terms().threads);
  if (&thread != this) return thread.Give(std::move(parcel));
  ++load_;
  Enter(std::move(parcel));
}

void HandshakeThread::Enter(std::unique_ptr<Parcel> parcel) {
  const uint32_t id = reactor_->Reserve();
  if (id == 0) {
    --load_;
    if (parcel->id == 0) return;
    // The loop waits for its connection.
    parcel->events.emplace_back(TlsEventKind::kFailed, UV_ENFILE);
    return Send(*to_loop_, std::move(parcel));
  }
  if (parcel->id != 0) {
    known_[parcel->id] = id;
    known_by_id_[id] = parcel->id;
  }
  parcel->connection->Enter(id, TlsPlace::kThread, buffers_, *this);
  reactor_->Put(id, std::move(parcel->connection));
}

void HandshakeThread::EnterPair(Parcel& parcel) {
  int error = 0;
  if (pairs_ == nullptr) {
    auto pairs =
        std::make_unique<PairReactor>(&loop_, open_, static_cast<PairReactor::Owner&>(*this), commons_.traffic, &error);
    if (error == 0) pairs_ = std::move(pairs);
  }
  if (error == 0) {
    pairs_->Put(std::move(parcel.shared), std::move(parcel.socket));
  } else {
    --load_;
    OnPairTold(parcel.id, TlsEventKind::kFailed, error);
  }
}

void HandshakeThread::EnterLent(Parcel& parcel) {
  int error = 0;
  if (records_ == nullptr) {
    auto records = std::make_unique<RecordReactor>(&loop_, open_, static_cast<RecordReactor::Owner&>(*this),
                                                   commons_.buffers, &error);
    if (error == 0) records_ = std::move(records);
  }
  if (error == 0) {
    records_->Put(std::move(parcel.shared));
  } else {
    --load_;
    OnRecords({{{parcel.id, TlsEventKind::kFailed, error, 0}}, {}});
  }
}

void HandshakeThread::OnRecords(RecordBatch<RecordEvent> told) {
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kRecords);
  parcel->records = std::move(told);
  Send(*to_loop_, std::move(parcel));
}

void HandshakeThread::OnPairTold(uint32_t id, TlsEventKind kind, int32_t value) {
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kPairTold);
  parcel->id = id;
  parcel->events.emplace_back(kind, value);
  Send(*to_loop_, std::move(parcel));
}

void HandshakeThread::Destroy(uint32_t known_id, bool reset) {
  if (pairs_ != nullptr && pairs_->Destroy(known_id, reset)) --load_;
  if (records_ != nullptr && records_->Destroy(known_id, reset)) --load_;
  const auto found = known_.find(known_id);
  if (found == known_.end()) return;
  const uint32_t id = found->second;
  known_.erase(found);
  known_by_id_.erase(id);
  reactor_->Release(id);
  --load_;
}

void HandshakeThread::OnKeyLog(Connection&, const char* line) {
  if (told_ == nullptr) told_ = std::make_unique<Parcel>(Parcel::Kind::kConnection);
  told_->key_log.emplace_back(line);
}

void HandshakeThread::OnEvent(Connection&, TlsEventKind kind, int32_t value) {
  if (told_ == nullptr) told_ = std::make_unique<Parcel>(Parcel::Kind::kConnection);
  told_->events.emplace_back(kind, value);
}

void HandshakeThread::AfterTurn(uint32_t id, Connection& connection) {
  if (told_ == nullptr && !connection.wants_job() && !connection.wants_loop()) return;
  std::unique_ptr<Parcel> parcel = std::move(told_);
  if (parcel == nullptr) parcel = std::make_unique<Parcel>(Parcel::Kind::kConnection);
  if (const auto found = known_by_id_.find(id); found != known_by_id_.end()) {
    parcel->id = found->second;
    known_.erase(parcel->id);
    known_by_id_.erase(found);
  }
  parcel->connection = reactor_->Take(id);
  reactor_->Release(id);
  --load_;
  const uint64_t now = uv_hrtime();
  if (leaving_.empty()) leaving_since_ = now;
  leaving_.push_back(std::move(parcel));
  if (now - leaving_since_ > kMostLeavingNs) AfterTurns();
}

void HandshakeThread::AfterTurns() {
  for (size_t i = 0; i < leaving_.size(); ++i) Send(*to_loop_, std::move(leaving_[i]), i + 1 < leaving_.size());
  leaving_.clear();
}

}  // namespace openssl_async
