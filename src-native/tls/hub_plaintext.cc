// The hub's connections whose handshake is done: what JavaScript writes to them, and where their records are.
#include <algorithm>

#include "tls/client_connection.h"
#include "tls/hub.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

// A write of so much has its connection lent: another core encrypts what follows.
constexpr size_t kLargeWrite = 256 * 1024;
// What is taken of one write to a lent connection: it is copied.
constexpr size_t kMostTaken = 1024 * 1024;
// What is written to a lent connection before it has to tell that it was sent.
constexpr size_t kMostWritten = 256 * 1024;

}  // namespace

// --- Plaintext

int32_t Hub::Write(uint32_t id, const ByteView* pieces, size_t count) {
  size_t size = 0;
  for (const ByteView* piece = pieces; piece < pieces + count; ++piece) size += piece->size;
  Connection* const connection = reactor_->Find(id);
  if (connection != nullptr && size >= kLargeWrite && connection->may_leave() && connection->fd() >= 0) Lend(id);
  if (IsLent(id)) return WriteLent(id, pieces, size);
  if (connection == nullptr) return 0;
  const auto taken = static_cast<int32_t>(connection->Write(pieces, count));
  metrics().bytes_written += static_cast<uint64_t>(taken);
  const bool waits = connection->has_unsent();
  Update(id);
  return waits ? ~taken : taken;
}

int32_t Hub::WriteLent(uint32_t id, const ByteView* pieces, size_t size) {
  const size_t taken = std::min(size, kMostTaken);
  Entry& entry = EntryOf(id);
  entry.written += taken;
  const bool waits = taken < size || entry.written > kMostWritten;
  if (waits) entry.written = 0;
  Ask(id, waits ? RecordRequest::Kind::kWriteAndTell : RecordRequest::Kind::kWrite, taken, pieces);
  metrics().bytes_written += taken;
  return waits ? ~static_cast<int32_t>(taken) : static_cast<int32_t>(taken);
}

bool Hub::End(uint32_t id) {
  if (IsLent(id)) {
    Ask(id, RecordRequest::Kind::kEnd);
    return true;
  }
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr) return false;
  connection->End();
  const bool waits = connection->has_unsent();
  Update(id);
  return waits;
}

void Hub::SetPaused(uint32_t id, bool paused) {
  if (IsLent(id)) return Ask(id, paused ? RecordRequest::Kind::kPause : RecordRequest::Kind::kResume);
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr) return;
  connection->SetPaused(paused);
  Update(id);
}

// --- Later handshakes

std::vector<std::string> Hub::Renegotiate(uint32_t id, bool requests, bool rejects) {
  if (IsLent(id)) {
    Ask(id, rejects    ? RecordRequest::Kind::kDemandCertificate
            : requests ? RecordRequest::Kind::kRequestCertificate
                       : RecordRequest::Kind::kRenegotiate);
    return {};
  }
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr) return {"error:0A000153:SSL routines::no renegotiation"};
  std::vector<std::string> errors = connection->Renegotiate(requests, rejects);
  Update(id);
  return errors;
}

void Hub::ForbidRenegotiation(uint32_t id) {
  if (const ConnectionView connection = Look(id)) connection->ForbidRenegotiation();
}

void Hub::Trace(uint32_t id) {
  if (const ConnectionView connection = Look(id)) connection->Trace();
}

// --- Connections whose records a thread reads and writes

bool Hub::MayLend(const Connection& connection) const {
  return connection.terms().lends && connection.may_leave() && connection.fd() >= 0 && !connection.paused();
}

void Hub::Lend(uint32_t id) {
  const size_t threads = reactor_->Find(id)->terms().threads;
  if (!threads_->Prepare(threads)) return;
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kLend);
  parcel->id = id;
  parcel->shared = std::make_shared<SharedConnection>(reactor_->Take(id));
  Entry& entry = EntryOf(id);
  entry.thread = &threads_->Choose(threads);
  entry.shared = parcel->shared;
  entry.is_lent = true;
  ++lent_;
  entry.thread->Give(std::move(parcel));
  UpdateRef(id);
}

void Hub::Ask(uint32_t id, RecordRequest::Kind kind, size_t size, const ByteView* pieces) {
  HandshakeThread* const thread = EntryOf(id).thread;
  if (thread == nullptr) return;
  requests_->Add(*thread, {id, kind, size}, pieces);
  if (!sink_.telling()) reactor_->WakeSoon();
}

// --- Pairs

int Hub::PrepareToPair(uint32_t id) const {
  const Connection* const connection = reactor_->Find(id);
  if (connection == nullptr || connection->fd() < 0 || connection->unfinished()) return UV_EINVAL;
  return threads_->Prepare(connection->terms().threads) ? 0 : UV_ENOSYS;
}

int Hub::Pair(uint32_t id) {
  UniqueSocket callers;
  UniqueSocket far_end;
  if (const int error = PrepareToPair(id); error != 0) return error;
  if (const int error = MakeSocketPair(far_end, callers, PairSink::kHeldBytes); error != 0) return error;
  if (const int error = PairWith(id, std::move(far_end)); error != 0) return error;
  return callers.release();
}

int Hub::MakePair(uint32_t* far_end) {
  UniqueSocket callers;
  UniqueSocket other;
  if (const int error = MakeSocketPair(other, callers, PairSink::kHeldBytes); error != 0) return error;
  *far_end = ++last_far_;
  fars_[*far_end] = std::move(other);
  return callers.release();
}

UniqueSocket Hub::TakeFar(uint32_t far_end) {
  const auto found = fars_.find(far_end);
  if (found == fars_.end()) return UniqueSocket();
  UniqueSocket socket = std::move(found->second);
  fars_.erase(found);
  return socket;
}

int Hub::PairWith(uint32_t id, uint32_t far_end) {
  if (const int error = PrepareToPair(id); error != 0) return error;
  UniqueSocket socket = TakeFar(far_end);
  return socket.valid() ? PairWith(id, std::move(socket)) : UV_EINVAL;
}

int Hub::PairWith(uint32_t id, UniqueSocket far_end) {
  const size_t threads = reactor_->Find(id)->terms().threads;
  auto parcel = std::make_unique<Parcel>(Parcel::Kind::kPair);
  parcel->socket = std::move(far_end);
  parcel->id = id;
  parcel->shared = std::make_shared<SharedConnection>(reactor_->Take(id));
  Entry& entry = EntryOf(id);
  entry.thread = &threads_->Choose(threads);
  entry.shared = parcel->shared;
  entry.thread->Give(std::move(parcel));
  UpdateRef(id);
  return 0;
}

void Hub::TellPair(uint32_t id, Parcel::Kind kind) {
  if (!reactor_->IsReserved(id) || EntryOf(id).shared == nullptr) return;
  auto parcel = std::make_unique<Parcel>(kind);
  parcel->id = id;
  EntryOf(id).thread->Give(std::move(parcel));
}

void Hub::Release(uint32_t id) { TellPair(id, Parcel::Kind::kRelease); }

void Hub::SetSessionsKept(uint32_t id) {
  if (Connection* const connection = reactor_->Find(id); connection == nullptr) {
    TellPair(id, Parcel::Kind::kSessionsKept);
  } else if (connection->server() != nullptr) {
    connection->server()->SetSessionsKept();
    Update(id);
  }
}

void Hub::SetWelcome(uint32_t id) {
  Connection* const connection = reactor_->Find(id);
  if (connection == nullptr || connection->client() == nullptr) return;
  connection->client()->SetWelcome();
  Update(id);
}

ConnectionView Hub::Look(uint32_t id) const {
  if (!reactor_->IsReserved(id) || EntryOf(id).shared == nullptr) return ConnectionView(reactor_->Find(id));
  return ConnectionView(EntryOf(id).shared);
}

}  // namespace openssl_async
