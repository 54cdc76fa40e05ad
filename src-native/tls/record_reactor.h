// Connections on a thread's loop whose records are read and written there, and whose plaintext the event loop gets and
// gives in messages.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "tls/buffer_pool.h"
#include "tls/poller.h"
#include "tls/record_sink.h"
#include "tls/shared_connection.h"
#include "tls/turn_queue.h"

namespace openssl_async {

class RecordReactor final : private Poller::Delegate {
 public:
  class Owner {
   public:
    // What connections have told in this turn of the loop.
    virtual void OnRecords(RecordBatch<RecordEvent> told) = 0;

   protected:
    ~Owner() = default;
  };

  // Unusable, and libuv's code in `error`, when the system refuses. All handles are unreferenced.
  RecordReactor(uv_loop_t* loop, OpenHandles& open, Owner& owner, BufferPool& pool, int* error);
  ~RecordReactor();
  RecordReactor(const RecordReactor&) = delete;
  RecordReactor& operator=(const RecordReactor&) = delete;

  // Under the id that the connection has.
  void Put(std::shared_ptr<SharedConnection> connection);
  void Take(const RecordBatch<RecordRequest>& requests);
  // False when there is none.
  bool Destroy(uint32_t id, bool reset);

 private:
  struct Entry {
    Entry(std::shared_ptr<SharedConnection> which, RecordBuffers& buffers, RecordBatch<RecordEvent>& outbox)
        : connection(std::move(which)), sink(*connection->connection, buffers, outbox) {}

    std::shared_ptr<SharedConnection> connection;
    RecordSink sink;
    uint8_t interest = Interest::kNone;
    bool is_queued = false;
  };

  void OnReady(uint32_t id, uint8_t ready) override { Run(id, ready); }
  void OnAllTold() override { Tell(); }
  Entry* Find(uint32_t id);
  void Run(uint32_t id, uint8_t ready);
  void Take(Entry& entry, const RecordRequest& request, ByteView bytes);
  void Update(uint32_t id, Entry& entry);
  void Watch(uint32_t id, Entry& entry, uint8_t interest);
  void End(uint32_t id, Entry& entry, bool reset);
  void Tell();

  Owner& owner_;
  BufferPool& pool_;
  RecordBuffers buffers_;
  RecordBatch<RecordEvent> outbox_;
  std::unordered_map<uint32_t, std::unique_ptr<Entry>> entries_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<TurnQueue> soon_;
};

}  // namespace openssl_async
