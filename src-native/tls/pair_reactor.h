// Connections on a thread's loop whose plaintext goes through pairs of sockets: gives them turns when either socket is
// ready.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tls/pair_sink.h"
#include "tls/poller.h"
#include "tls/shared_connection.h"
#include "tls/turn_queue.h"

namespace openssl_async {

// Plaintext of all pairs of an environment.
struct PairTraffic {
  std::atomic<uint64_t> read{0};
  std::atomic<uint64_t> written{0};
};

class PairReactor final : private Poller::Delegate {
 public:
  class Owner {
   public:
    // The connection has failed, or all has left that it had to carry: kFailed or kEnd. Once; Destroy() follows.
    // kNewSessions may come before.
    virtual void OnPairTold(uint32_t id, TlsEventKind kind, int32_t value) = 0;

   protected:
    ~Owner() = default;
  };

  // Unusable, and libuv's code in `error`, when the system refuses. All handles are unreferenced.
  PairReactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, PairTraffic& traffic, int* error);
  ~PairReactor();
  PairReactor(const PairReactor&) = delete;
  PairReactor& operator=(const PairReactor&) = delete;

  // Under the id that the connection has.
  void Put(std::shared_ptr<SharedConnection> connection, UniqueSocket socket);
  // See PairSink::Release(). It is over when the peer has everything, or has taken nothing for a while.
  void Release(uint32_t id);
  // See ServerConnection::SetSessionsKept().
  void SetSessionsKept(uint32_t id);
  // False when there is none.
  bool Destroy(uint32_t id, bool reset);

 private:
  struct Pair {
    Pair(std::shared_ptr<SharedConnection> which, UniqueSocket socket, PairBuffers& buffers)
        : connection(std::move(which)), sink(*connection->connection, std::move(socket), buffers) {}

    std::shared_ptr<SharedConnection> connection;
    PairSink sink;
    uint8_t connection_interest = Interest::kNone;
    uint8_t pair_interest = Interest::kNone;
    uint64_t last_progress_ms = 0;  // of a released one
    int unacknowledged = 0;         // bytes, of one whose plaintext has left
    bool is_queued = false;
    bool is_over = false;
  };

  void OnReady(uint32_t token, uint8_t ready) override;
  void OnAllTold() override {}
  Pair* Find(uint32_t id);
  void Run(uint32_t id, uint8_t connection_ready, uint8_t pair_ready);
  void Update(uint32_t id, Pair& pair);
  void Watch(uint32_t id, Pair& pair, uint8_t connection_interest, uint8_t pair_interest);
  void TellOver(uint32_t id, Pair& pair, TlsEventKind kind, int32_t value);
  void Queue(uint32_t id, Pair& pair);
  bool IsOver(Pair& pair);
  void CheckReleased();
  void SetTimer();
  void End(uint32_t id, Pair& pair, bool reset);

  Owner& owner_;
  PairTraffic& traffic_;
  PairBuffers buffers_;
  std::unordered_map<uint32_t, std::unique_ptr<Pair>> pairs_;
  std::vector<uint32_t> released_;  // ids of connections that are not over
  uv_loop_t* loop_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<TurnQueue> soon_;
  UvHandlePointer<uv_timer_t> timer_;  // active while released_ holds something
};

}  // namespace openssl_async
