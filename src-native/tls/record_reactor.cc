#include "tls/record_reactor.h"

#include <utility>

namespace openssl_async {

namespace {

// Plaintext of one message to the loop, about.
constexpr size_t kMostTold = 256 * 1024;

}  // namespace

RecordReactor::RecordReactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, BufferPool& pool, int* error)
    : owner_(owner), pool_(pool) {
  poller_ = std::make_unique<Poller>(loop, open, static_cast<Poller::Delegate&>(*this), error);
  if (*error != 0) return;
  const auto run = [this](const std::vector<uint32_t>& ids) {
    for (const uint32_t id : ids) Run(id, Interest::kNone);
    Tell();
  };
  soon_ = std::make_unique<TurnQueue>(loop, open, run, error);
}

RecordReactor::~RecordReactor() {
  for (auto& [id, entry] : entries_) End(id, *entry, false);
}

RecordReactor::Entry* RecordReactor::Find(uint32_t id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.get();
}

void RecordReactor::Put(std::shared_ptr<SharedConnection> connection) {
  const std::unique_lock<std::mutex> lock(connection->mutex);
  const uint32_t id = connection->connection->id();
  auto& entry = entries_[id];
  entry = std::make_unique<Entry>(std::move(connection), buffers_, outbox_);
  entry->is_queued = true;  // ciphertext may have come before
  soon_->Add(id);
}

bool RecordReactor::Destroy(uint32_t id, bool reset) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return false;
  End(id, *entry, reset);
  entries_.erase(id);
  return true;
}

void RecordReactor::End(uint32_t id, Entry& entry, bool reset) {
  Watch(id, entry, Interest::kNone);
  const std::lock_guard<std::mutex> lock(entry.connection->mutex);
  if (reset) ResetSocketOnClose(entry.connection->connection->fd());
  entry.connection->connection.reset();
}

// --- Turns

void RecordReactor::Run(uint32_t id, uint8_t ready) {
  Entry* const entry = Find(id);
  if (entry == nullptr) return;
  if (ready == Interest::kNone) entry->is_queued = false;
  const std::lock_guard<std::mutex> lock(entry->connection->mutex);
  entry->sink.Run((ready & Interest::kRead) != 0, (ready & Interest::kWrite) != 0);
  Update(id, *entry);
  if (outbox_.bytes.size() > kMostTold) Tell();
}

void RecordReactor::Update(uint32_t id, Entry& entry) {
  const Connection& connection = *entry.connection->connection;
  uint8_t wanted = Interest::kNone;
  if (connection.wants_to_read()) wanted |= Interest::kRead;
  if (connection.wants_to_write()) wanted |= Interest::kWrite;
  Watch(id, entry, wanted);
  if (connection.has_more() && !std::exchange(entry.is_queued, true)) soon_->Add(id);
}

void RecordReactor::Watch(uint32_t id, Entry& entry, uint8_t interest) {
  if (entry.interest == interest) return;
  if (poller_->Watch(entry.connection->connection->fd(), id, entry.interest, interest) == 0) entry.interest = interest;
}

// --- Requests and answers

void RecordReactor::Take(const RecordBatch<RecordRequest>& requests) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(requests.bytes.data());
  for (const RecordRequest& request : requests.messages) {
    const bool has_bytes =
        request.kind == RecordRequest::Kind::kWrite || request.kind == RecordRequest::Kind::kWriteAndTell;
    if (Entry* const entry = Find(request.id)) {
      const std::lock_guard<std::mutex> lock(entry->connection->mutex);
      Take(*entry, request, {bytes, has_bytes ? request.size : 0});
      Update(request.id, *entry);
    }
    if (has_bytes) bytes += request.size;
  }
  Tell();
}

void RecordReactor::Take(Entry& entry, const RecordRequest& request, ByteView bytes) {
  switch (request.kind) {
    case RecordRequest::Kind::kWrite:
      return entry.sink.Write(bytes, false);
    case RecordRequest::Kind::kWriteAndTell:
      return entry.sink.Write(bytes, true);
    case RecordRequest::Kind::kEnd:
      return entry.sink.End();
    case RecordRequest::Kind::kPause:
      return entry.sink.SetPaused(true);
    case RecordRequest::Kind::kResume:
      return entry.sink.SetPaused(false);
    case RecordRequest::Kind::kRenegotiate:
      return entry.sink.Renegotiate(false, false);
    case RecordRequest::Kind::kRequestCertificate:
      return entry.sink.Renegotiate(true, false);
    case RecordRequest::Kind::kDemandCertificate:
      return entry.sink.Renegotiate(true, true);
    case RecordRequest::Kind::kRead:
      return entry.sink.SetRead(request.size);
  }
}

void RecordReactor::Tell() {
  if (outbox_.messages.empty()) return;
  owner_.OnRecords(std::exchange(outbox_, {}));
  outbox_.bytes = pool_.Take();
}

}  // namespace openssl_async
