// TLS for JavaScript: the hub of this environment, and the one call for each of its turns.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "binding/attachment.h"
#include "tls/hub.h"

namespace openssl_async {

class Environment;

class Tls final : public Attachment {
 public:
  explicit Tls(Environment& environment) : environment_(environment) {}
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // JavaScript reads events from `words` and plaintext from `slab` in `on_events(count)`. It counts events that it has
  // begun with in `cursor`: an exception of one event does not keep the next ones from being read.
  Result<void> Open(Napi::Int32Array words, Napi::Uint8Array slab, Napi::Int32Array cursor, Napi::Function on_events);
  // Null before Open().
  Hub* hub() const { return hub_.get(); }
  // Call it after anything that may begin or end a connection or a listener.
  void Changed();

  // Nobody is left to serve.
  void Drain() override;
  void Close(std::function<void()> done) override;
  bool IsIdle() const override { return hub_ == nullptr || hub_->idle(); }

 private:
  BatchSink::Memory FindMemory();
  void TellEvents(size_t count);

  Environment& environment_;
  std::unique_ptr<Hub> hub_;
  Napi::Reference<Napi::Int32Array> words_;
  Napi::Reference<Napi::Uint8Array> slab_;
  Napi::Reference<Napi::Int32Array> cursor_;
  Napi::FunctionReference on_events_;  // strong while there is something to tell of
  bool is_held_ = false;
  bool is_drained_ = false;
};

}  // namespace openssl_async
