// Clients of TLS: their connections begin here.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "tls/client_settings.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

std::string ToBytes(Napi::Value value) {
  const ByteView bytes = ToView(value);
  return bytes.size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

// ([PEM, …], whether OpenSSL's own paths count)
Napi::Value CreateRoots(Info info) {
  std::vector<std::string> pems;
  const Napi::Array array = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) pems.push_back(ToBytes(array.Get(i)));
  Result<std::shared_ptr<TrustedRoots>> roots = TrustedRoots::Create(pems, ToBool(info[1]));
  if (!roots.ok()) return ToJs(info.Env(), roots.error());
  return NewHandle<TrustedRootsHandle>(info.Env(), std::move(roots.value()));
}

// (context, roots or undefined, fd or -1, bytes that were read from it, server's name, protocols, session, identity of
// a shared key, the key, flags, threads, microseconds of the event loop for handshakes, early data): the connection's
// id, or libuv's code. Texts and bytes may be empty or undefined.
Napi::Value Connect(Info info) {
  ClientSettings settings;
  settings.context = ToPointer<TlsContextHandle>(info[0]);
  if (const auto* const roots = ToOptionalHandle<TrustedRootsHandle>(info[1])) settings.roots = *roots;
  settings.server_name = ToText(info[4]);
  settings.protocols = ToBytes(info[5]);
  if (const ByteView session = ToView(info[6]); session.size > 0) settings.session = ToSession(session);
  settings.key = {ToText(info[7]), SecretText(ToBytes(info[8]))};
  settings.flags = ToUint32(info[9]);
  settings.holds_http2 = settings.Has(TlsClientFlag::kHoldsHttp2);
  settings.handshake_timeout_ms = 0;
  settings.threads = ToUint32(info[10]);
  settings.max_inline_ns = ToUint64(info[11]) * 1000;
  settings.early_data = SecretText(ToBytes(info[12]));
  Tls& tls = Environment::From(info).tls();
  const int32_t id = tls.hub()->Connect(std::move(settings), ToInt32(info[2]), ToView(info[3]));
  tls.Changed();
  return Napi::Number::New(info.Env(), id);
}

}  // namespace

void AddTlsClientExports(Exports& tls) {
  tls.Add("createRoots", &CreateRoots);
  tls.Add("connect", &Connect);
}

}  // namespace openssl_async
