#include "binding/remote_keys.h"

#include <memory>
#include <string>

#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "openssl/version.h"
#include "placement/operation_call.h"
#include "remote/create_key.h"
#include "remote/delegated_key.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

bool Has(uint32_t flags, RemoteKeyFlag flag) { return (flags & static_cast<uint32_t>(flag)) != 0; }

// (DER, OpenSSL's name of the type, number, operations, flags)
Napi::Value CreateKey(Info info) {
  if (Result<void> opened = Environment::From(info).remote_keys().Open(); !opened.ok()) {
    return ToJs(info.Env(), opened.error());
  }
  auto holder = std::make_shared<RemoteHolder>();
  holder->requests = Environment::From(info).remote_keys().requests();
  holder->key = ToUint32(info[2]);
  holder->operations = ToUint32(info[3]);
  holder->verifies = Has(ToUint32(info[4]), RemoteKeyFlag::kVerifies);
  holder->p1363 = Has(ToUint32(info[4]), RemoteKeyFlag::kP1363);
  const std::string type = ToText(info[1]);
  Result<std::shared_ptr<Key>> key = CreateRemoteKey(ToView(info[0]), type.c_str(), std::move(holder));
  if (!key.ok()) return ToJs(info.Env(), key.error());
  return NewHandle<KeyHandle>(info.Env(), std::move(key.value()));
}

// (key, SubjectPublicKeyInfo): a key for all of OpenSSL; undefined for a key that is one already
Napi::Value DelegateKey(Info info) {
  const std::shared_ptr<Key>& key = ToPointer<KeyHandle>(info[0]);
  if (key->scope().library_context == nullptr) return info.Env().Undefined();
  Result<std::shared_ptr<Key>> made = DelegateTo(key, ToView(info[1]));
  if (!made.ok()) return ToJs(info.Env(), made.error());
  return NewHandle<KeyHandle>(info.Env(), std::move(made.value()));
}

// (on_requests, words, bytes)
Napi::Value SetSink(Info info) {
  Environment::From(info).remote_keys().SetInbox(std::make_unique<RemoteInbox>(
      info[0].As<Napi::Function>(), info[1].As<Napi::Float64Array>(), info[2].As<Napi::Uint8Array>()));
  return info.Env().Undefined();
}

// (id, bytes)
Napi::Value Answer(Info info) {
  Environment::From(info).remote_keys().requests()->Answer(ToUint64(info[0]), ToView(info[1]));
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
  const std::string message = ToText(info[2]);
  const auto refusal = static_cast<RemoteRefusal>(ToInt32(info[1]));
  Environment::From(info).remote_keys().requests()->Refuse(ToUint64(info[0]), ToReason(refusal), message.c_str());
  return info.Env().Undefined();
}

Napi::Value ToBuffer(Napi::Env env, ByteView bytes) {
  if (!bytes.present()) return env.Undefined();
  return Napi::Value(env, Napi::Buffer<unsigned char>::Copy(env, bytes.data, bytes.size));
}

// (id): the bytes and the label of a request that are too long for a batch; undefined when it has ended.
Napi::Value TakeBytes(Info info) {
  const auto taken = Environment::From(info).remote_keys().requests()->Look(ToUint64(info[0]));
  if (!taken.has_value()) return info.Env().Undefined();
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, ToBuffer(info.Env(), taken->question->bytes));
  both.Set(1U, ToBuffer(info.Env(), taken->question->label));
  return both;
}

// (number of a name in a request)
Napi::Value NameInRequest(Info info) {
  const std::string& name = Environment::From(info).remote_keys().inbox().NameOf(ToUint32(info[0]));
  return Napi::String::New(info.Env(), name);
}

}  // namespace

RemoteKeys::RemoteKeys(Environment& environment) : environment_(environment) {
  requests_ = std::make_shared<RemoteRequests>(static_cast<RemoteRequests::Delegate&>(*this), !HasJobs());
  environment_.scheduler()->AddTarget(*this);
}

Result<void> RemoteKeys::Open() {
  if (HasJobs() || calls_ != nullptr) return {};
  uv_loop_t* loop = nullptr;
  int error = UV_ENOSYS;
  if (napi_get_uv_event_loop(environment_.env(), &loop) == napi_ok) {
    calls_ = CompletionQueue::Create(loop, *open_, *this, &error);
  }
  if (calls_ != nullptr) return {};
  return Error{"ERR_ASYNC_LOOP", std::string("libuv: ") + uv_strerror(error), {}};
}

void RemoteKeys::Close(std::function<void()> done) {
  if (calls_ != nullptr) calls_->Close();
  // Nothing waits for the handle: operations, which close next, must not end and be told in a turn in between.
  OpenHandles* open = open_.release();
  open->WhenAllClosed([open] { delete open; });
  done();
}

void RemoteKeys::OnRemoteRequest() { environment_.scheduler()->RequestDelivery(*this); }

void RemoteKeys::OnRemoteRequestElsewhere() {
  if (!called_.exchange(true)) calls_->Push(&call_);
}

void RemoteKeys::OnCompletions() {
  calls_->TakeAll([](CompletionQueue::Entry*) {});
  called_.store(false);
  OnDelivery();
}

uint32_t RemoteKeys::RunningJob() const {
  if (const OperationCall* call = OperationCall::Running(); call != nullptr) return call->id();
  const ScheduledJob* job = environment_.scheduler()->running();
  return job == nullptr ? kNoJobId : job->id();
}

void RemoteKeys::OnDelivery() {
  if (inbox_ == nullptr || !environment_.expects_events()) return;
  environment_.TellJavaScript([this] {
    inbox_->Deliver(*requests_, [this](const Napi::FunctionReference& on_requests, size_t count) {
      environment_.Call(on_requests, ToNumber(environment_.env(), count));
    });
  });
}

void AddRemoteKeyExports(Exports& addon) {
  Exports remote = addon.Subject("remote");
  remote.Add("createKey", &CreateKey);
  remote.Add("delegateKey", &DelegateKey);
  remote.Add("setSink", &SetSink);
  remote.Add("bytes", &TakeBytes);
  remote.Add("name", &NameInRequest);
  remote.Add("answer", &Answer);
  remote.Add("refuse", &Refuse);
}

}  // namespace openssl_async
