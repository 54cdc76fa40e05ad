// All TLS connections and listeners of an environment, on its loop. What they tell goes into a BatchSink.
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
#include "tls/connection.h"
#include "tls/poller.h"

namespace openssl_async {

class Hub final : private Poller::Delegate {
 public:
  static Result<std::unique_ptr<Hub>> Create(uv_loop_t* loop, BatchSink::Find find, BatchSink::Tell tell);
  // After Close() is done.
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // --- Listeners. Ids are never used twice.
  uint32_t AddListener();
  // For later connections.
  void SetSettings(uint32_t listener, std::shared_ptr<ServerSettings> settings);
  // Begins to accept connections from a bound socket, which stays the caller's. 0, or libuv's code.
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

  // --- Connections. An id stands for nothing once the connection is destroyed.
  Connection* Find(uint32_t id) const;
  // Counts it out of PendingOf(). False when it is gone.
  bool Claim(uint32_t id);
  // Call it after a function of the connection: its needs may have changed.
  void Update(uint32_t id);
  void SetRef(uint32_t id, bool ref);
  void Destroy(uint32_t id);

  // Nothing is listened to, and there are no connections.
  bool idle() const { return live_ == 0 && listening_ == 0; }
  // Ends everything at once. Nothing is told any more.
  void Drain();
  // Closes all handles; `done` runs when the loop has let go of them.
  void Close(std::function<void()> done);

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    uint32_t generation = 0;
    uint8_t interest = Interest::kNone;
    bool is_queued = false;
    bool is_referenced = false;
    bool is_claimed = false;
  };
  struct Listener {
    std::shared_ptr<const ServerSettings> settings;
    // Connections by the time when their handshakes must be done, first ones first; also of such as are done.
    std::deque<std::pair<uint64_t, uint32_t>> deadlines;
    int fd = -1;
    size_t live = 0;
    size_t pending = 0;
    size_t max_connections = 0;
    bool is_referenced = true;
    bool is_watched = false;
    bool is_stopped = false;
  };

  Hub(BatchSink::Find find, BatchSink::Tell tell) : sink_(std::move(find), std::move(tell)) {}
  int Open(uv_loop_t* loop);

  void OnReady(uint32_t token, bool readable, bool writable) override;
  void OnAllTold() override;
  void RunReady();
  void Run(Slot& slot, bool readable, bool writable);
  void Accept(uint32_t id, Listener& listener);
  void PauseAccepting();
  void ResumeAccepting();
  void Add(Listener& listener, UniqueSocket socket, ByteView bytes);
  void Drop(uint32_t id, const UniqueSocket& socket);
  void DropOldest(Listener& listener);
  void Watch(uint32_t id, Listener& listener, bool watch);
  void Update(Slot& slot);
  void Queue(Slot& slot);
  void WakeSoon();
  void LeaveListener(Slot& slot, bool is_gone);
  void OnTimer();
  void TimeOutHandshakes(Listener& listener, uint64_t now);
  void SetTimer();
  void CountRefs(int change);
  Slot* SlotOf(uint32_t id);
  uint32_t TakeSlot();

  BatchSink sink_;
  TransportBuffers buffers_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> ready_;  // ids of connections that need a turn without being told of
  std::vector<uint32_t> idle_listeners_;
  std::vector<std::pair<SocketAddress, SocketAddress>> dropped_;
  std::unordered_map<uint32_t, Listener> listeners_;
  uint32_t last_listener_ = 0;
  size_t live_ = 0;
  size_t listening_ = 0;
  size_t refs_ = 0;
  uint64_t turn_began_ = 0;  // 0 outside a turn
  bool accept_is_paused_ = false;
  uv_loop_t* loop_ = nullptr;
  std::unique_ptr<OpenHandles> open_ = std::make_unique<OpenHandles>();
  std::unique_ptr<Poller> poller_;
  UvHandlePointer<uv_idle_t> soon_;    // active while ready_ or idle_listeners_ hold something
  UvHandlePointer<uv_timer_t> timer_;  // of handshakes, and of paused accepts
  UvHandlePointer<uv_async_t> keep_;   // keeps the loop alive while refs_ is not 0
};

}  // namespace openssl_async
