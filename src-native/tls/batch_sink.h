// Collects what connections tell during a turn, for one call of JavaScript: events in words, plaintext in a slab. Both
// belong to JavaScript, which reads them before the call returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "tls/connection.h"
#include "tls/tls_metrics.h"

namespace openssl_async {

class BatchSink final : public ConnectionEvents {
 public:
  struct Memory {
    int32_t* words = nullptr;
    size_t words_count = 0;
    unsigned char* slab = nullptr;
    size_t slab_size = 0;
  };
  // `find` is asked before each batch: JavaScript may have moved the memory elsewhere, and then there is none. `tell`
  // hands over a number of events.
  using Find = std::function<Memory()>;
  using Tell = std::function<void(size_t count)>;
  BatchSink(Find find, Tell tell) : find_(std::move(find)), tell_(std::move(tell)) {}

  // Call it before each turn of a connection. False when there is no memory: nothing can be told.
  [[nodiscard]] bool Prepare();
  // As Prepare(), but JavaScript does not run.
  [[nodiscard]] bool HasRoom();
  // JavaScript runs in here; nothing may hold on to a connection meanwhile.
  void Deliver();
  bool telling() const { return telling_; }
  // Counts what is told.
  TlsMetrics& metrics() { return metrics_; }
  const TlsMetrics& metrics() const { return metrics_; }

  void OnEvent(Connection& connection, TlsEventKind kind, int32_t value) override;
  // Copies plaintext that was received elsewhere, at most Connection::kTurnBytes, after Prepare().
  void AddData(uint32_t id, ByteView bytes);
  // For events that are not about a connection.
  void Add(TlsEventKind kind, uint32_t id, uint32_t listener, int32_t value, size_t offset = 0, size_t size = 0);

 private:
  unsigned char* Room(size_t* size) override;
  void OnData(Connection& connection, size_t size) override;
  void OnKeyLog(Connection& connection, const char* line) override;

  Find find_;
  Tell tell_;
  Memory memory_;
  TlsMetrics metrics_;
  size_t count_ = 0;
  size_t used_ = 0;
  bool telling_ = false;
};

}  // namespace openssl_async
