#include "binding/tls.h"

#include <utility>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/subjects.h"

namespace openssl_async {

Result<void> Tls::Open(Napi::Int32Array words, Napi::Uint8Array slab, Napi::Int32Array cursor,
                       Napi::Function on_events) {
  if (hub_ != nullptr) return {};
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(environment_.env(), &loop) != napi_ok) {
    return Error{"ERR_ASYNC_LOOP", "The environment has no event loop", {}};
  }
  Result<std::unique_ptr<Hub>> hub = Hub::Create(
      loop, *environment_.scheduler(), environment_.operations(), [this] { return FindMemory(); },
      [this](size_t count) { TellEvents(count); });
  if (!hub.ok()) return hub.error();
  words_ = Napi::Persistent(words);
  slab_ = Napi::Persistent(slab);
  cursor_ = Napi::Persistent(cursor);
  on_events_ = Napi::Weak(on_events);
  hub_ = std::move(hub.value());
  return {};
}

void Tls::Changed() {
  const bool is_needed = !hub_->idle();
  if (is_held_ == is_needed || is_drained_) return;
  is_held_ = is_needed;
  if (is_needed) {
    environment_.ExpectEvents();
    on_events_.Ref();
  } else {
    on_events_.Unref();
    environment_.MayBeIdle();
  }
}

// Somebody who got hold of the slab's buffer may have transferred it.
BatchSink::Memory Tls::FindMemory() {
  if (is_drained_ || !is_held_) return {};
  const Napi::HandleScope scope(environment_.env());
  const Napi::Int32Array words = words_.Value();
  const Napi::Uint8Array slab = slab_.Value();
  if (slab.ArrayBuffer().IsDetached()) return {};
  return {words_.Value().Data(), words.ElementLength(), slab_.Value().Data(), slab.ByteLength()};
}

void Tls::TellEvents(size_t count) {
  environment_.TellJavaScript([this, count] {
    int32_t* const cursor = cursor_.Value().Data();
    *cursor = 0;
    for (int32_t before = -1; *cursor > before && static_cast<size_t>(*cursor) < count;) {
      before = *cursor;
      environment_.Call(on_events_, ToNumber(environment_.env(), count));
    }
  });
}

void Tls::Drain() {
  if (std::exchange(is_drained_, true) || hub_ == nullptr) return;
  hub_->Drain();
}

void Tls::Close(std::function<void()> done) {
  if (hub_ == nullptr) {
    done();
    return;
  }
  words_.Reset();
  slab_.Reset();
  cursor_.Reset();
  on_events_.Reset();
  hub_->Close(std::move(done));
}

void AddTlsExports(Exports& addon) {
  addon.SubjectOnCall("tls", [](Exports& tls) {
    AddTlsContextExports(tls);
    AddTlsClientExports(tls);
    AddTlsListenerExports(tls);
    AddTlsConnectionExports(tls);
    AddTlsDetailExports(tls);
  });
}

}  // namespace openssl_async
