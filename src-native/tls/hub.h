// All TLS connections and listeners of an environment. Their records are read and written on the event loop;
// handshakes run there too, or on threads. What they tell goes into a BatchSink.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tls/batch_sink.h"
#include "tls/client_settings.h"
#include "tls/handshake_jobs.h"
#include "tls/handshake_threads.h"
#include "tls/inline_budget.h"
#include "tls/parcel.h"
#include "tls/reactor.h"
#include "tls/record_requests.h"

namespace openssl_async {

class Hub final : private Reactor::Owner, private CompletionQueue::Receiver {
 public:
  static Result<std::unique_ptr<Hub>> Create(uv_loop_t* loop, Scheduler& scheduler, OperationRunner& operations,
                                             BatchSink::Find find, BatchSink::Tell tell);
  // After Close() is done.
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // --- Listeners. Ids are never used twice.
  uint32_t AddListener();
  // For later connections.
  void SetSettings(uint32_t listener, std::shared_ptr<const ServerSettings> settings);
  // Begins to accept connections from a bound socket, which stays the caller's: a copy is watched, for the caller's is
  // closed before the hub when an environment ends. 0, or libuv's code.
  int Listen(uint32_t listener, int fd, int backlog);
  // Before the socket is closed. Handshakes go on; TlsEventKind::kListenerIdle follows the last one.
  void StopListening(uint32_t listener);
  // Forgets a listener that has stopped.
  void RemoveListener(uint32_t listener);
  void SetListenerRef(uint32_t listener, bool ref);
  // Connections beyond it are closed at once, see TlsEventKind::kDropped. 0: no limit.
  void SetMaxConnections(uint32_t listener, size_t most);
  // Connections that nobody has claimed.
  size_t PendingOf(uint32_t listener) const;
  // The addresses of a connection that was dropped: the peer's, ours.
  std::pair<SocketAddress, SocketAddress> TakeDropped(size_t number);
  // Takes over a socket that somebody else goes on owning, with bytes that were read from it. 0, or libuv's code.
  int Adopt(uint32_t listener, int fd, ByteView bytes);
  // A connection that JavaScript has claimed, over a copy of a socket; without one (-1), JavaScript carries its
  // ciphertext. `bytes` were read from the socket. An id, or libuv's code.
  int32_t Serve(uint32_t listener, int fd, ByteView bytes);

  // A client's connection over a copy of a connected socket; without one (-1), JavaScript carries its ciphertext.
  // `bytes` were read from the socket. An id, or libuv's code.
  int32_t Connect(ClientSettings settings, int fd, ByteView bytes);

  // --- Connections. An id stands for nothing once the connection is destroyed.
  // Null also while a thread has the connection.
  Connection* Find(uint32_t id) const { return reactor_->Find(id); }
  // Counts it out of PendingOf(). False when it is gone.
  bool Claim(uint32_t id);
  // Call it after a function of the connection: its needs may have changed.
  void Update(uint32_t id);
  // After ServerConnection::Proceed() or TakeAnswer(): the handshake goes on where it belongs.
  void GoOn(uint32_t id);
  void SetRef(uint32_t id, bool ref);
  // How many bytes were taken; their complement where TlsEventKind::kDrained follows, see Connection::Write().
  int32_t Write(uint32_t id, const ByteView* pieces, size_t count);
  // See Connection::End(). Whether TlsEventKind::kDrained follows.
  bool End(uint32_t id);
  // See Connection::Renegotiate(): errors of a connection that is elsewhere are told by its event.
  std::vector<std::string> Renegotiate(uint32_t id, bool requests, bool rejects);
  void ForbidRenegotiation(uint32_t id);
  void Trace(uint32_t id);
  // See Connection::SetPaused().
  void SetPaused(uint32_t id, bool paused);
  void Destroy(uint32_t id, bool reset);

  // --- Connections whose plaintext goes through a pair of sockets, on a thread. They tell kFailed, or kEnd when all
  // has left that they had to carry; Destroy() follows. The caller's end of the pair; libuv's code for a connection
  // that has to stay.
  int Pair(uint32_t id);
  // A pair for a connection that is not open yet: the caller's end, or an error. The hub keeps the other one,
  // `far_end`.
  int MakePair(uint32_t* far_end);
  // As Pair(), with such a pair: 0. The other end stays with the hub when the connection has to stay.
  int PairWith(uint32_t id, uint32_t far_end);
  // The other end, the caller's from here on.
  UniqueSocket TakeFar(uint32_t far_end);
  // The caller's end is closed.
  void Release(uint32_t id);
  // See ServerConnection::SetSessionsKept().
  void SetSessionsKept(uint32_t id);
  // See ClientConnection::SetWelcome().
  void SetWelcome(uint32_t id);
  // Any connection with an id of this hub, wherever it is.
  ConnectionView Look(uint32_t id) const;
  // Plaintext, in bytes.
  uint64_t bytes_read() const { return sink_.metrics().bytes_read + threads_->traffic().read; }
  uint64_t bytes_written() const { return sink_.metrics().bytes_written + threads_->traffic().written; }

  TlsMetrics& metrics() { return sink_.metrics(); }
  // Connections of all listeners, and those among them that nobody has claimed.
  size_t live() const;
  size_t pending() const;
  // Connections whose records threads read and write.
  size_t lent() const { return lent_; }
  size_t clients() const { return clients_; }

  // Nothing is listened to, and there are no connections.
  bool idle() const;
  // Ends everything at once. Nothing is told any more.
  void Drain();
  // Closes all handles; `done` runs when the loop has let go of them.
  void Close(std::function<void()> done);

 private:
  struct Server {
    std::shared_ptr<Listener> listener;
    bool is_listening = false;
    bool is_referenced = true;
    bool is_on_thread = false;  // is accepted from
    bool holds_loop = false;
  };
  // Of a connection's slot.
  struct Entry {
    bool is_referenced = false;
    bool holds_loop = false;
    bool is_client = false;
    bool is_lent = false;                      // to the thread, for its records
    HandshakeThread* thread = nullptr;         // that has the connection
    std::shared_ptr<SharedConnection> shared;  // there; null for a connection that comes back
    size_t written = 0;                        // to a lent connection, since it was drained
    size_t read = 0;                           // from it, that it was not told of
  };

  Hub(Scheduler& scheduler, OperationRunner& operations, BatchSink::Find find, BatchSink::Tell tell);
  int Open(uv_loop_t* loop);

  bool BeforeTurn() override { return sink_.Prepare(); }
  void AfterTurn(uint32_t id, Connection& connection) override;
  void AfterTurns() override;
  void OnAccepted(const std::shared_ptr<Listener>& listener, UniqueSocket socket) override;
  void OnCompletions() override;

  void TakeArrivals();
  void EndJobs();
  void Arrive(Parcel& parcel);
  void ArriveConnection(Parcel& parcel);
  void ArrivePairTold(const Parcel& parcel);
  bool ArriveRecord(Parcel& parcel);
  void LetRenegotiate();
  void TellDropped(const Listener& listener, std::pair<SocketAddress, SocketAddress> addresses);
  uint32_t Add(std::unique_ptr<Connection> connection);
  void Move(uint32_t id, HandshakeThread& thread);
  void Place(std::unique_ptr<ServerConnection> connection);
  void UpdateRef(Server& server);
  void UpdateRef(uint32_t id);
  bool IsActive(uint32_t id, const Connection& connection) const;
  void CountRefs(int change);
  Entry& EntryOf(uint32_t id) { return entries_[Reactor::SlotNumber(id)]; }
  const Entry& EntryOf(uint32_t id) const { return entries_[Reactor::SlotNumber(id)]; }
  int PrepareToPair(uint32_t id) const;
  int PairWith(uint32_t id, UniqueSocket far_end);
  void TellPair(uint32_t id, Parcel::Kind kind);
  bool MayLend(const Connection& connection) const;
  void Lend(uint32_t id);
  void Ask(uint32_t id, RecordRequest::Kind kind, size_t size = 0, const ByteView* pieces = nullptr);
  int32_t WriteLent(uint32_t id, const ByteView* pieces, size_t size);
  bool IsLent(uint32_t id) const { return reactor_->IsReserved(id) && EntryOf(id).is_lent; }

  const std::shared_ptr<InlineBudget> inline_budget_ = std::make_shared<InlineBudget>();
  BatchSink sink_;
  TransportBuffers buffers_;
  std::vector<Entry> entries_;
  std::vector<std::pair<SocketAddress, SocketAddress>> dropped_;
  std::unordered_map<uint32_t, Server> servers_;
  std::deque<std::unique_ptr<Parcel>> arrivals_;  // that were not told of yet
  HandshakeJobs jobs_;
  std::vector<uint32_t> renegotiating_;  // lent connections, until the events of their peers' handshakes are told
  std::deque<uint32_t> ended_jobs_;      // ids of connections whose jobs have ended
  uint32_t last_listener_ = 0;
  size_t refs_ = 0;
  size_t lent_ = 0;
  size_t clients_ = 0;
  std::unordered_map<uint32_t, UniqueSocket> fars_;  // of pairs whose connection is not open
  uint32_t last_far_ = 0;
  std::unique_ptr<OpenHandles> open_ = std::make_unique<OpenHandles>();
  std::shared_ptr<CompletionQueue> inbox_;
  std::unique_ptr<HandshakeThreads> threads_;
  std::unique_ptr<RecordRequests> requests_;
  std::unique_ptr<Reactor> reactor_;
  UvHandlePointer<uv_async_t> keep_;  // keeps the loop alive while refs_ is not 0
};

}  // namespace openssl_async
