#include "binding/remote_keys.h"

#include <memory>
#include <string>

#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "remote/create_key.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

ByteView ToView(Napi::Value value) {
  const Bytes bytes = ToBytes(value);
  return {static_cast<const unsigned char*>(bytes.data), bytes.size};
}

bool Has(uint32_t flags, RemoteKeyFlag flag) { return (flags & static_cast<uint32_t>(flag)) != 0; }

// (DER, OpenSSL's name of the type, number, operations, flags)
Napi::Value CreateKey(Info info) {
  const auto number = [&](size_t index) { return info[index].As<Napi::Number>().Uint32Value(); };
  auto holder = std::make_shared<RemoteHolder>();
  holder->requests = Environment::From(info).remote_requests();
  holder->key = number(2);
  holder->operations = number(3);
  holder->verifies = Has(number(4), RemoteKeyFlag::kVerifies);
  holder->p1363 = Has(number(4), RemoteKeyFlag::kP1363);
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

OwnReason ToReason(RemoteRefusal refusal) {
  switch (refusal) {
    case RemoteRefusal::kInvalidResult:
      return OwnReason::kRemoteKeyInvalidResult;
    case RemoteRefusal::kTimeout:
      return OwnReason::kRemoteKeyTimeout;
    case RemoteRefusal::kFailed:
      break;
  }
  return OwnReason::kRemoteKeyFailed;
}

// (id, why, message)
Napi::Value Refuse(Info info) {
  const std::string message = info[2].As<Napi::String>().Utf8Value();
  const auto refusal = static_cast<RemoteRefusal>(info[1].As<Napi::Number>().Int32Value());
  Environment::From(info).remote_requests()->Refuse(ToId(info[0]), ToReason(refusal), message.c_str());
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
  size_t at = 0;
  requests.TakeNew([&](const RemoteRequests::Taken& taken) {
    const Napi::HandleScope scope(env);
    const RemoteQuestion& question = taken.question;
    const auto set = [&](size_t word, auto value) { words.Set(static_cast<uint32_t>(at + word), value); };
    set(RemoteWord::kId, static_cast<double>(taken.id));
    set(RemoteWord::kKey, taken.key);
    set(RemoteWord::kJob, taken.job);
    set(RemoteWord::kOperation, static_cast<uint32_t>(question.operation));
    set(RemoteWord::kBytes, ToBuffer(env, question.bytes));
    set(RemoteWord::kDigest, ToName(env, question.digest));
    set(RemoteWord::kMgf1Digest, ToName(env, question.mgf1_digest));
    set(RemoteWord::kPadding, question.padding);
    set(RemoteWord::kSaltLength, question.salt_length);
    set(RemoteWord::kLabel, ToBuffer(env, question.label));
    at += kWordsPerRemoteRequest;
  });
  return words;
}

void AddRemoteKeyExports(Exports& exports) {
  exports.Add("createRemoteKey", &CreateKey);
  exports.Add("setRemoteSink", &SetSink);
  exports.Add("answerRemote", &Answer);
  exports.Add("refuseRemote", &Refuse);
}

}  // namespace openssl_async
