// Connections of TLS. An id whose connection is gone is no error: the connection may have ended natively.
#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Tls& TlsOf(Info info) { return Environment::From(info).tls(); }
Hub& HubOf(Info info) { return *TlsOf(info).hub(); }
uint32_t IdOf(Info info) { return ToUint32(info[0]); }
// Null for a client's connection, too.
ServerConnection* ServerOf(Info info) {
  Connection* const connection = HubOf(info).Find(IdOf(info));
  return connection == nullptr ? nullptr : connection->server();
}

Napi::Value ToBuffer(Napi::Env env, const std::string& bytes) {
  return Napi::Value(env, Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size()));
}

// The bytes that were taken; their complement where `drained` follows.
Napi::Value Write(Info info, const ByteView* pieces, size_t count) {
  return Napi::Value(info.Env(), Napi::Number::New(info.Env(), HubOf(info).Write(IdOf(info), pieces, count)));
}

// (id, text, whether it is Latin-1 rather than UTF-8, bytes that follow or undefined)
Napi::Value WriteText(Info info) {
  const Napi::Env env = info.Env();
  const auto read = ToBool(info[2]) ? &napi_get_value_string_latin1 : &napi_get_value_string_utf8;
  char inline_bytes[4096];
  constexpr size_t kMostBytesOfCharacter = 4;
  std::unique_ptr<char[]> allocated;
  char* bytes = inline_bytes;
  size_t size = 0;
  read(env, info[1], bytes, sizeof(inline_bytes), &size);
  if (size + kMostBytesOfCharacter >= sizeof(inline_bytes)) {  // there may be more
    read(env, info[1], nullptr, 0, &size);
    allocated = std::make_unique<char[]>(size + 1);
    bytes = allocated.get();
    read(env, info[1], bytes, size + 1, &size);
  }
  const ByteView pieces[] = {{reinterpret_cast<unsigned char*>(bytes), size}, ToView(info[3])};
  return Write(info, pieces, std::size(pieces));
}

// (id, [bytes, …])
Napi::Value WriteMany(Info info) {
  const Napi::Array array = info[1].As<Napi::Array>();
  std::vector<ByteView> pieces(array.Length());
  for (uint32_t i = 0; i < pieces.size(); ++i) {
    const Napi::HandleScope scope(info.Env());
    pieces[i] = ToView(array.Get(i));
  }
  return Write(info, pieces.data(), pieces.size());
}

// (id, bytes)
Napi::Value WriteBytes(Info info) {
  const ByteView bytes = ToView(info[1]);
  return Write(info, &bytes, 1);
}

// (id): whether `drained` follows
Napi::Value End(Info info) { return Napi::Boolean::New(info.Env(), HubOf(info).End(IdOf(info))); }

// (id, whether the client is asked for its certificate, whether it has to have one): OpenSSL's lines
Napi::Value Renegotiate(Info info) {
  return ToJs(info.Env(), HubOf(info).Renegotiate(IdOf(info), ToBool(info[1]), ToBool(info[2])));
}

// (id)
Napi::Value ForbidRenegotiation(Info info) {
  HubOf(info).ForbidRenegotiation(IdOf(info));
  return info.Env().Undefined();
}

// (id)
Napi::Value Trace(Info info) {
  HubOf(info).Trace(IdOf(info));
  return info.Env().Undefined();
}

// (id, paused)
Napi::Value SetPaused(Info info) {
  HubOf(info).SetPaused(IdOf(info), ToBool(info[1]));
  return info.Env().Undefined();
}

// (id, ref)
Napi::Value SetRef(Info info) {
  HubOf(info).SetRef(IdOf(info), ToBool(info[1]));
  return info.Env().Undefined();
}

// (id): whether it is still there
Napi::Value Claim(Info info) { return Napi::Boolean::New(info.Env(), HubOf(info).Claim(IdOf(info))); }

// (id, whether the peer is reset)
Napi::Value Destroy(Info info) {
  HubOf(info).Destroy(IdOf(info), ToBool(info[1]));
  TlsOf(info).Changed();
  return info.Env().Undefined();
}

// (id): the end of a pair of sockets that carries the plaintext from here on; libuv's code for none
Napi::Value Pair(Info info) {
  return Napi::Value(info.Env(), Napi::Number::New(info.Env(), HubOf(info).Pair(IdOf(info))));
}

// [an end of a pair of sockets, the caller's; the number of the other one, which is kept]; or libuv's code
Napi::Value MakePair(Info info) {
  uint32_t far_end = 0;
  const int near_end = HubOf(info).MakePair(&far_end);
  if (near_end < 0) return Napi::Number::New(info.Env(), near_end);
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, near_end);
  both.Set(1U, far_end);
  return both;
}

// (id, the number of an end): 0, as pair(); or libuv's code
Napi::Value PairWith(Info info) {
  return Napi::Value(info.Env(), Napi::Number::New(info.Env(), HubOf(info).PairWith(IdOf(info), ToUint32(info[1]))));
}

// (the number of an end): the end, the caller's from here on
Napi::Value TakeFar(Info info) {
  return Napi::Value(info.Env(), Napi::Number::New(info.Env(), HubOf(info).TakeFar(ToUint32(info[0])).release()));
}

// (the number of an end)
Napi::Value CloseFar(Info info) {
  HubOf(info).TakeFar(ToUint32(info[0])).reset();
  return info.Env().Undefined();
}

// (id): that end is closed
Napi::Value Release(Info info) {
  HubOf(info).Release(IdOf(info));
  return info.Env().Undefined();
}

// (id, no delay)
Napi::Value SetNoDelayOf(Info info) {
  if (const ConnectionView connection = HubOf(info).Look(IdOf(info))) {
    SetNoDelay(connection->fd(), ToBool(info[1]));
  }
  return info.Env().Undefined();
}

// (id, keep alive, seconds before the first probe)
Napi::Value SetKeepAliveOf(Info info) {
  if (const ConnectionView connection = HubOf(info).Look(IdOf(info))) {
    SetKeepAlive(connection->fd(), ToBool(info[1]), ToInt32(info[2]));
  }
  return info.Env().Undefined();
}

// (id, bytes, from where on): how many were taken; their complement where `inputWanted` follows
Napi::Value Feed(Info info) {
  const ByteView all = ToView(info[1]);
  const size_t from = std::min<size_t>(ToUint64(info[2]), all.size);
  const ByteView bytes = {all.data + from, all.size - from};
  Connection* const connection = HubOf(info).Find(IdOf(info));
  if (connection == nullptr) return ToNumber(info.Env(), bytes.size);
  const size_t taken = connection->Feed(bytes);
  HubOf(info).Update(IdOf(info));
  const auto count = static_cast<double>(taken);
  return Napi::Value(info.Env(), Napi::Number::New(info.Env(), taken < bytes.size ? -count - 1 : count));
}

// (id)
Napi::Value FeedEnd(Info info) {
  if (Connection* const connection = HubOf(info).Find(IdOf(info)); connection != nullptr) {
    connection->FeedEnd();
    HubOf(info).Update(IdOf(info));
  }
  return info.Env().Undefined();
}

// (id): all ciphertext for the stream
Napi::Value TakeOutput(Info info) {
  Connection* const connection = HubOf(info).Find(IdOf(info));
  const std::string output = connection == nullptr ? std::string() : connection->TakeOutput();
  if (output.empty()) return info.Env().Undefined();
  return Napi::Value(info.Env(), Napi::Buffer<char>::Copy(info.Env(), output.data(), output.size()));
}

// (id)
Napi::Value SetCarried(Info info) {
  if (Connection* const connection = HubOf(info).Find(IdOf(info)); connection != nullptr) {
    connection->SetCarried();
    HubOf(info).Update(IdOf(info));
  }
  return info.Env().Undefined();
}

// (id): [name, protocols, id of a session, whether the status of the certificate is wanted, identities of shared keys]
Napi::Value HelloOf(Info info) {
  const Napi::Env env = info.Env();
  const ServerConnection* const connection = ServerOf(info);
  if (connection == nullptr) return env.Undefined();
  const ClientHello& hello = connection->hello();
  Napi::Array parts = Napi::Array::New(env, 5);
  parts.Set(0U, hello.server_name);
  parts.Set(1U, ToBuffer(env, hello.protocols));
  parts.Set(2U, ToBuffer(env, hello.session_id));
  parts.Set(3U, hello.wants_status);
  parts.Set(4U,
            ToArray(env, hello.key_identities, [&](const std::string& identity) { return ToBuffer(env, identity); }));
  return parts;
}

// (id)
Napi::Value Proceed(Info info) {
  if (ServerConnection* const connection = ServerOf(info); connection != nullptr) {
    connection->Proceed();
    HubOf(info).GoOn(IdOf(info));
  }
  return info.Env().Undefined();
}

SecretText ToSecret(ByteView bytes) {
  return bytes.size == 0 ? SecretText()
                         : SecretText(std::string(reinterpret_cast<const char*>(bytes.data), bytes.size));
}

// (id, context or undefined, whether a protocol was asked for, the protocol, session, status, identity of a shared key,
// the key): the last four may be undefined.
Napi::Value TakeAnswer(Info info) {
  ServerConnection* const connection = ServerOf(info);
  if (connection == nullptr) return info.Env().Undefined();
  HelloAnswer answer;
  if (const auto* const context = ToOptionalHandle<TlsContextHandle>(info[1])) answer.context = *context;
  answer.chose_protocol = ToBool(info[2]);
  answer.protocol = FromByteText(info[3]);
  if (const ByteView session = ToView(info[4]); session.size > 0) answer.session = ToSession(session);
  if (const ByteView status = ToView(info[5]); status.size > 0) {
    answer.status.assign(reinterpret_cast<const char*>(status.data), status.size);
  }
  if (const ByteView identity = ToView(info[6]); identity.size > 0) {
    answer.key.identity.assign(reinterpret_cast<const char*>(identity.data), identity.size);
    answer.key.bytes = ToSecret(ToView(info[7]));
  }
  connection->TakeAnswer(std::move(answer));
  HubOf(info).GoOn(IdOf(info));
  return info.Env().Undefined();
}

// (id)
Napi::Value Refuse(Info info) {
  if (ServerConnection* const connection = ServerOf(info); connection != nullptr) connection->Refuse();
  return info.Env().Undefined();
}

// (id): of a shared key
Napi::Value KeyIdentityOf(Info info) {
  const ServerConnection* const connection = ServerOf(info);
  return connection == nullptr ? info.Env().Undefined() : ToBuffer(info.Env(), connection->key_identity());
}

// (id, the key or undefined)
Napi::Value GiveKey(Info info) {
  if (ServerConnection* const connection = ServerOf(info); connection != nullptr) {
    connection->TakeKey(ToSecret(ToView(info[1])));
    HubOf(info).GoOn(IdOf(info));
  }
  return info.Env().Undefined();
}

// (id, context)
Napi::Value SetIdentity(Info info) {
  if (ServerConnection* const connection = ServerOf(info); connection != nullptr) {
    connection->SetIdentity(ToPointer<TlsContextHandle>(info[1]));
  }
  return info.Env().Undefined();
}

// (id): [[id of the session, the session], …]
Napi::Value TakeNewSessions(Info info) {
  const Napi::Env env = info.Env();
  const ConnectionView connection = HubOf(info).Look(IdOf(info));
  const auto sessions = connection ? connection->TakeNewSessions() : std::vector<NewSession>();
  return ToArray(env, sessions, [&](const NewSession& session) {
    Napi::Array both = Napi::Array::New(env, 2);
    both.Set(0U, ToBuffer(env, session.id));
    both.Set(1U, ToBuffer(env, session.der.get()));
    return Napi::Value(env, both);
  });
}

// (id)
Napi::Value SessionsKept(Info info) {
  HubOf(info).SetSessionsKept(IdOf(info));
  return info.Env().Undefined();
}

// (id)
Napi::Value SetWelcome(Info info) {
  HubOf(info).SetWelcome(IdOf(info));
  return info.Env().Undefined();
}

// (id)
Napi::Value FailureOf(Info info) {
  const ConnectionView connection = HubOf(info).Look(IdOf(info));
  Napi::Value failure = ToJs(info.Env(), connection ? connection->failure() : Error());
  const JobId job = connection ? connection->failed_job() : kNoJobId;
  failure.As<Napi::Object>().Set("job", job == kNoJobId ? -1.0 : static_cast<double>(job));
  return failure;
}

Napi::Value ToJs(Napi::Env env, const SocketAddress& address) {
  if (address.family.empty()) return env.Undefined();
  Napi::Array parts = Napi::Array::New(env, 3);
  parts.Set(0U, address.address);
  parts.Set(1U, address.family);
  parts.Set(2U, address.port);
  return parts;
}

// (id, whether it is our address)
Napi::Value AddressOf(Info info) {
  const ConnectionView connection = HubOf(info).Look(IdOf(info));
  if (!connection) return info.Env().Undefined();
  return ToJs(info.Env(), ToBool(info[1]) ? LocalOf(connection->fd()) : PeerOf(connection->fd()));
}

// (number): [peer, local]
Napi::Value DroppedAddresses(Info info) {
  const auto [peer, local] = HubOf(info).TakeDropped(ToUint32(info[0]));
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, ToJs(info.Env(), peer));
  both.Set(1U, ToJs(info.Env(), local));
  return both;
}

}  // namespace

void AddTlsConnectionExports(Exports& tls) {
  tls.Add("write", &WriteBytes);
  tls.Add("writeText", &WriteText);
  tls.Add("writeMany", &WriteMany);
  tls.Add("end", &End);
  tls.Add("renegotiate", &Renegotiate);
  tls.Add("forbidRenegotiation", &ForbidRenegotiation);
  tls.Add("trace", &Trace);
  tls.Add("setPaused", &SetPaused);
  tls.Add("setRef", &SetRef);
  tls.Add("claim", &Claim);
  tls.Add("destroy", &Destroy);
  tls.Add("pair", &Pair);
  tls.Add("makePair", &MakePair);
  tls.Add("pairWith", &PairWith);
  tls.Add("takeFar", &TakeFar);
  tls.Add("closeFar", &CloseFar);
  tls.Add("release", &Release);
  tls.Add("setNoDelay", &SetNoDelayOf);
  tls.Add("setKeepAlive", &SetKeepAliveOf);
  tls.Add("proceed", &Proceed);
  tls.Add("feed", &Feed);
  tls.Add("feedEnd", &FeedEnd);
  tls.Add("takeOutput", &TakeOutput);
  tls.Add("setCarried", &SetCarried);
  tls.Add("hello", &HelloOf);
  tls.Add("answer", &TakeAnswer);
  tls.Add("refuse", &Refuse);
  tls.Add("keyIdentity", &KeyIdentityOf);
  tls.Add("giveKey", &GiveKey);
  tls.Add("setIdentity", &SetIdentity);
  tls.Add("takeNewSessions", &TakeNewSessions);
  tls.Add("sessionsKept", &SessionsKept);
  tls.Add("setWelcome", &SetWelcome);
  tls.Add("failure", &FailureOf);
  tls.Add("address", &AddressOf);
  tls.Add("droppedAddresses", &DroppedAddresses);
}

}  // namespace openssl_async
