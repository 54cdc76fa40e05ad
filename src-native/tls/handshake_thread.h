// A thread that accepts connections and does their handshakes, on a loop of its own. A connection leaves for the event
// loop when its handshake is done or has failed, or when JavaScript is asked. It may come back, for a PairReactor or a
// RecordReactor.
#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tls/buffer_pool.h"
#include "tls/pair_reactor.h"
#include "tls/parcel.h"
#include "tls/reactor.h"
#include "tls/record_reactor.h"

namespace openssl_async {

// What an environment's threads have in common.
struct ThreadCommons {
  PairTraffic traffic;
  BufferPool buffers;  // of batches of records
};

class HandshakeThread final : private Reactor::Owner,
                              private PairReactor::Owner,
                              private RecordReactor::Owner,
                              private ConnectionEvents,
                              private CompletionQueue::Receiver {
 public:
  // Chooses the thread of an accepted connection among the first `most`, this one or another. Any thread.
  using Choose = std::function<HandshakeThread&(size_t most)>;

  // Null when the system refuses a thread or what it needs.
  static std::unique_ptr<HandshakeThread> Start(std::shared_ptr<CompletionQueue> to_loop, Choose choose,
                                                ThreadCommons& commons);
  ~HandshakeThread() { End(); }
  HandshakeThread(const HandshakeThread&) = delete;
  HandshakeThread& operator=(const HandshakeThread&) = delete;

  // --- Any thread
  void Give(std::unique_ptr<Parcel> parcel);
  // Connections that are here or on their way.
  size_t load() const { return load_; }

  // --- The event loop's thread
  void Watch(const std::shared_ptr<Listener>& listener);
  void Stop(Listener& listener);
  // Ends the thread and its connections. Nothing may be given afterwards.
  void End();

 private:
  HandshakeThread(std::shared_ptr<CompletionQueue> to_loop, Choose choose, ThreadCommons& commons)
      : to_loop_(std::move(to_loop)), choose_(std::move(choose)), commons_(commons) {}
  int Open();
  void Close();
  void Run();

  bool BeforeTurn() override { return true; }
  void AfterTurn(uint32_t id, Connection& connection) override;
  void AfterTurns() override;
  void OnAccepted(const std::shared_ptr<Listener>& listener, UniqueSocket socket) override;

  // There is no room: plaintext stays in its records until the connection is on the event loop.
  unsigned char* Room(size_t* size) override {
    *size = 0;
    return nullptr;
  }
  void OnData(Connection& /*connection*/, size_t /*size*/) override {}
  void OnKeyLog(Connection& connection, const char* line) override;
  void OnEvent(Connection& connection, TlsEventKind kind, int32_t value) override;

  void OnCompletions() override;
  void Take(std::unique_ptr<Parcel> parcel);
  void Enter(std::unique_ptr<Parcel> parcel);
  void EnterPair(Parcel& parcel);
  void EnterLent(Parcel& parcel);
  void OnRecords(RecordBatch<RecordEvent> told) override;
  void OnPairTold(uint32_t id, TlsEventKind kind, int32_t value) override;
  void Destroy(uint32_t known_id, bool reset);

  const std::shared_ptr<CompletionQueue> to_loop_;
  const Choose choose_;
  ThreadCommons& commons_;
  std::atomic<size_t> load_{0};
  uv_loop_t loop_ = {};
  OpenHandles open_;
  TransportBuffers buffers_;
  std::shared_ptr<CompletionQueue> inbox_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<PairReactor> pairs_;            // null before the first one
  std::unique_ptr<RecordReactor> records_;        // null before the first connection
  std::vector<std::unique_ptr<Parcel>> leaving_;  // for the event loop, which is woken once for all of them
  uint64_t leaving_since_ = 0;
  std::unique_ptr<Parcel> told_;                        // of the connection that has its turn; null for nothing
  std::unordered_map<uint32_t, uint32_t> known_;        // ids here by the loop's ids, of connections that it knows
  std::unordered_map<uint32_t, uint32_t> known_by_id_;  // the other way round
  std::thread thread_;
};

}  // namespace openssl_async
