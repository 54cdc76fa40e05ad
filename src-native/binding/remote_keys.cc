#include "binding/remote_keys.h"

#include <memory>
#include <string>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/guard.h"
#include "remote/create_key.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

ByteView ToView(Napi::Value value) {
  const Bytes bytes = ToBytes(value);
  return {static_cast<const unsigned char*>(bytes.data), bytes.size};
}

// Bits of the flags of a new key.
enum RemoteKeyFlag : uint32_t { kVerifies = 1, kP1363 = 2 };

// (DER, OpenSSL's name of the type, number, operations, flags)
Napi::Value CreateKey(Info info) {
  const auto number = [&](size_t index) { return info[index].As<Napi::Number>().Uint32Value(); };
  auto holder = std::make_shared<RemoteHolder>();
  holder->requests = Environment::From(info).remote_requests();
  holder->key = number(2);
  holder->operations = number(3);
  holder->verifies = (number(4) & kVerifies) != 0;
  holder->p1363 = (number(4) & kP1363) != 0;
  const std::string type = info[1].As<Napi::String>().Utf8Value();
  Result<std::shared_ptr<Key>> key = CreateRemoteKey(ToView(info[0]), type.c_str(), std::move(holder));
  if (!key.ok()) return ToJs(info.Env(), key.error());
  return FromHandle(info.Env(), new std::shared_ptr<Key>(std::move(key.value())));
}

Napi::Value SetSink(Info info) {
  Environment::From(info).SetRemoteSink(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

uint64_t ToId(Napi::Value value) { return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value()); }

// (id, bytes)
Napi::Value Answer(Info info) {
  Environment::From(info).remote_requests()->Answer(ToId(info[0]), ToView(info[1]));
  return info.Env().Undefined();
}

// As RemoteRefusal in contract.ts.
OwnReason ToReason(Napi::Value value) {
  switch (value.As<Napi::Number>().Int32Value()) {
    case 1:
      return OwnReason::kRemoteKeyInvalidResult;
    case 2:
      return OwnReason::kRemoteKeyTimeout;
    default:
      return OwnReason::kRemoteKeyFailed;
  }
}

// (id, why, message)
Napi::Value Refuse(Info info) {
  const std::string message = info[2].As<Napi::String>().Utf8Value();
  Environment::From(info).remote_requests()->Refuse(ToId(info[0]), ToReason(info[1]), message.c_str());
  return info.Env().Undefined();
}

Napi::Value ToBuffer(Napi::Env env, ByteView bytes) {
  if (!bytes.present()) return env.Undefined();
  return Napi::Value(env, Napi::Buffer<unsigned char>::Copy(env, bytes.data, bytes.size));
}

Napi::Value ToName(Napi::Env env, const char* name) {
  return name == nullptr ? env.Undefined() : Napi::String::New(env, name);
}

}  // namespace

Napi::Array TakeRemoteRequests(Napi::Env env, RemoteRequests& requests) {
  Napi::Array words = Napi::Array::New(env);
  uint32_t at = 0;
  requests.TakeNew([&](const RemoteRequests::Taken& taken) {
    const Napi::HandleScope scope(env);
    const RemoteQuestion& question = taken.question;
    words.Set(at++, static_cast<double>(taken.id));
    words.Set(at++, taken.key);
    words.Set(at++, taken.job);
    words.Set(at++, static_cast<uint32_t>(question.operation));
    words.Set(at++, ToBuffer(env, question.bytes));
    words.Set(at++, ToName(env, question.digest));
    words.Set(at++, ToName(env, question.mgf1_digest));
    words.Set(at++, question.padding);
    words.Set(at++, question.salt_length);
    words.Set(at++, ToBuffer(env, question.label));
  });
  return words;
}

void AddRemoteKeyExports(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) {
    exports.Set(name, Napi::Function::New(env, Guarded(function), name));
  };
  add("createRemoteKey", &CreateKey);
  add("setRemoteSink", &SetSink);
  add("answerRemote", &Answer);
  add("refuseRemote", &Refuse);
}

}  // namespace openssl_async
