// A message between the event loop and a thread of handshakes; most of them carry a connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tls/connection.h"
#include "tls/listener.h"
#include "tls/record_batch.h"
#include "tls/shared_connection.h"
#include "tls/socket.h"
#include "wakeup/completion_queue.h"

namespace openssl_async {

struct Parcel : CompletionQueue::Entry {
  enum class Kind : uint8_t {
    kConnection,
    // To the loop: a connection was closed, its listener being full.
    kDropped,
    // To the loop: see Listener::SetIdle().
    kIdle,
    // To a thread: begin and end with a listener.
    kWatch,
    kUnwatch,
    // To a thread: the loop wants the connection `id` no more.
    kDestroy,
    // To a thread: a connection whose plaintext goes through a pair of sockets.
    kPair,
    // To such a connection's thread: see PairReactor.
    kRelease,
    kSessionsKept,
    // To the loop, of such a connection: `events`.
    kPairTold,
    // To a thread: a connection whose records it reads and writes from here on.
    kLend,
    // To such a connection's thread: `requests`.
    kRequests,
    // To the loop, of such connections: `records`.
    kRecords,
    // To a thread.
    kEnd,
  };

  explicit Parcel(Kind which) : kind(which) {}

  Kind kind;
  uint32_t id = 0;  // the loop's name for a connection that it knows
  std::unique_ptr<Connection> connection;
  std::shared_ptr<SharedConnection> shared;
  UniqueSocket socket;  // of a pair
  bool resets = false;  // the peer, at kDestroy
  std::shared_ptr<Listener> listener;
  // What the connection has told on the thread.
  std::vector<std::string> key_log;
  std::vector<std::pair<TlsEventKind, int32_t>> events;
  RecordBatch<RecordRequest> requests;
  RecordBatch<RecordEvent> records;
  size_t told = 0;  // of their messages
  size_t told_bytes = 0;
  std::pair<SocketAddress, SocketAddress> addresses;  // the peer's, ours; of a dropped connection
};

// The queue owns what it has taken. A queue that is closed takes nothing: the parcel ends with what is in it.
// `is_followed` as CompletionQueue has it.
inline void Send(CompletionQueue& queue, std::unique_ptr<Parcel> parcel, bool is_followed = false) {
  if (queue.Push(parcel.get(), is_followed)) static_cast<void>(parcel.release());
}

template <typename F>
void TakeParcels(CompletionQueue& queue, F each) {
  queue.TakeAll([&](CompletionQueue::Entry* entry) { each(std::unique_ptr<Parcel>(static_cast<Parcel*>(entry))); });
}

}  // namespace openssl_async
