// The event loop's requests to threads that read and write connections' records, until the turn is over: one message
// for each thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "tls/handshake_thread.h"

namespace openssl_async {

class RecordRequests {
 public:
  explicit RecordRequests(BufferPool& pool) : pool_(pool) {}

  // With the first bytes of `pieces`, as many as the request says; null for a request without.
  void Add(HandshakeThread& thread, const RecordRequest& request, const ByteView* pieces = nullptr) {
    RecordBatch<RecordRequest>& batch = BatchOf(thread);
    batch.messages.push_back(request);
    if (pieces == nullptr) return;
    for (size_t rest = request.size; rest > 0; ++pieces) {
      const size_t count = std::min(rest, pieces->size);
      batch.bytes.append(reinterpret_cast<const char*>(pieces->data), count);
      rest -= count;
    }
    if (batch.bytes.size() > kMostBytes) Send();
  }
  // After what was added before.
  void Destroy(HandshakeThread& thread, uint32_t id, bool reset) {
    Send();
    auto parcel = std::make_unique<Parcel>(Parcel::Kind::kDestroy);
    parcel->id = id;
    parcel->resets = reset;
    thread.Give(std::move(parcel));
  }
  void Send() {
    for (auto& [thread, batch] : batches_) {
      auto parcel = std::make_unique<Parcel>(Parcel::Kind::kRequests);
      parcel->requests = std::move(batch);
      thread->Give(std::move(parcel));
    }
    batches_.clear();
  }
  // Forgets everything.
  void Clear() { batches_.clear(); }

 private:
  // A thread that has so much to do begins.
  static constexpr size_t kMostBytes = 256 * 1024;

  // There are few threads.
  RecordBatch<RecordRequest>& BatchOf(HandshakeThread& thread) {
    for (auto& [known, batch] : batches_) {
      if (known == &thread) return batch;
    }
    return batches_.emplace_back(&thread, RecordBatch<RecordRequest>{{}, pool_.Take()}).second;
  }

  BufferPool& pool_;
  std::vector<std::pair<HandshakeThread*, RecordBatch<RecordRequest>>> batches_;
};

}  // namespace openssl_async
