// Servers of TLS: what they listen to, and what their connections have in common.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Tls& TlsOf(Info info) { return Environment::From(info).tls(); }
Hub& HubOf(Info info) { return *TlsOf(info).hub(); }

// (words, slab, cursor, on_events)
Napi::Value Open(Info info) {
  return ToJs(info.Env(), TlsOf(info).Open(info[0].As<Napi::Int32Array>(), info[1].As<Napi::Uint8Array>(),
                                           info[2].As<Napi::Int32Array>(), info[3].As<Napi::Function>()));
}

Napi::Value AddListener(Info info) { return ToNumber(info.Env(), HubOf(info).AddListener()); }

// (listener, context, [[pattern, context], …], protocols, session context, flags, handshake timeout, threads,
// microseconds of the event loop for handshakes, most handshakes at a time, hint for clients that share a key, most
// bytes of early data)
Napi::Value SetSettings(Info info) {
  auto settings = std::make_shared<ServerSettings>();
  settings->context = ToPointer<TlsContextHandle>(info[1]);
  const Napi::Array names = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const Napi::Array pair = names.Get(i).As<Napi::Array>();
    settings->names.push_back({ToText(pair.Get(0U)), ToPointer<TlsContextHandle>(pair.Get(1U))});
  }
  const ByteView protocols = ToView(info[3]);
  if (protocols.size > 0) settings->protocols.assign(reinterpret_cast<const char*>(protocols.data), protocols.size);
  settings->session_context = ToText(info[4]);
  settings->flags = ToUint32(info[5]);
  settings->lends = settings->Has(TlsServerFlag::kLends);
  settings->holds_http2 = settings->Has(TlsServerFlag::kHoldsHttp2);
  settings->handshake_timeout_ms = ToUint64(info[6]);
  settings->threads = ToUint32(info[7]);
  settings->max_inline_ns = ToUint64(info[8]) * 1000;
  settings->max_handshakes = ToUint32(info[9]);
  settings->key_hint = ToText(info[10]);
  settings->max_early_data = ToUint32(info[11]);
  if (settings->Has(TlsServerFlag::kLogsKeys)) settings->LogKeys();
  HubOf(info).SetSettings(ToUint32(info[0]), std::move(settings));
  return info.Env().Undefined();
}

// (listener, fd, backlog): 0, or libuv's code
Napi::Value Listen(Info info) {
  const int error = HubOf(info).Listen(ToUint32(info[0]), ToInt32(info[1]), ToInt32(info[2]));
  TlsOf(info).Changed();
  return ToNumber(info.Env(), error);
}

// (listener)
Napi::Value StopListening(Info info) {
  HubOf(info).StopListening(ToUint32(info[0]));
  TlsOf(info).Changed();
  return info.Env().Undefined();
}

// (listener)
Napi::Value RemoveListener(Info info) {
  HubOf(info).RemoveListener(ToUint32(info[0]));
  TlsOf(info).Changed();
  return info.Env().Undefined();
}

// (listener, ref)
Napi::Value SetListenerRef(Info info) {
  HubOf(info).SetListenerRef(ToUint32(info[0]), ToBool(info[1]));
  return info.Env().Undefined();
}

// (listener, most)
Napi::Value SetMaxConnections(Info info) {
  HubOf(info).SetMaxConnections(ToUint32(info[0]), ToUint32(info[1]));
  return info.Env().Undefined();
}

// (listener)
Napi::Value PendingOf(Info info) { return ToNumber(info.Env(), HubOf(info).PendingOf(ToUint32(info[0]))); }

// (listener, fd, bytes): 0, or libuv's code
Napi::Value Adopt(Info info) {
  const int error = HubOf(info).Adopt(ToUint32(info[0]), ToInt32(info[1]), ToView(info[2]));
  TlsOf(info).Changed();
  return ToNumber(info.Env(), error);
}

// Whether fds can be listened to and adopted here
Napi::Value HasSocketsHere(Info info) { return Napi::Boolean::New(info.Env(), HasSockets()); }

// (listener, fd or -1, bytes): the id of a claimed connection, or libuv's code
Napi::Value Serve(Info info) {
  const int32_t id = HubOf(info).Serve(ToUint32(info[0]), ToInt32(info[1]), ToView(info[2]));
  TlsOf(info).Changed();
  return ToNumber(info.Env(), id);
}

}  // namespace

void AddTlsListenerExports(Exports& tls) {
  tls.Add("open", &Open);
  tls.Add("addListener", &AddListener);
  tls.Add("removeListener", &RemoveListener);
  tls.Add("setSettings", &SetSettings);
  tls.Add("listen", &Listen);
  tls.Add("stopListening", &StopListening);
  tls.Add("setListenerRef", &SetListenerRef);
  tls.Add("setMaxConnections", &SetMaxConnections);
  tls.Add("pending", &PendingOf);
  tls.Add("adopt", &Adopt);
  tls.Add("hasSockets", &HasSocketsHere);
  tls.Add("serve", &Serve);
}

}  // namespace openssl_async
