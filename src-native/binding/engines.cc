#include <memory>
#include <string>
#include <utility>

#include "binding/convert.h"
#include "binding/devices.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/subjects.h"
#include "keys/key.h"
#include "modules/engine_task.h"
#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

// undefined, a number, or the bytes of a text.
EngineValue ToEngineValue(Napi::Value value) {
  EngineValue result;
  if (value.IsNumber()) {
    result.kind = EngineValue::Kind::kNumber;
    result.number = static_cast<long>(value.As<Napi::Number>().Int64Value());
  } else if (value.IsTypedArray()) {
    const ByteView bytes = ToView(value);
    result.kind = EngineValue::Kind::kText;
    if (!result.text.Resize(bytes.size + 1)) throw std::bad_alloc();
    if (bytes.size > 0) memcpy(result.text.data(), bytes.data, bytes.size);
    result.text.data()[bytes.size] = '\0';
  }
  return result;
}

// Names and values alternate.
EngineCommands ToCommands(Napi::Value value) {
  EngineCommands commands;
  Napi::Array parts = value.As<Napi::Array>();
  for (uint32_t i = 0; i + 1 < parts.Length(); i += 2) {
    const Napi::Value name = parts[i];
    const Napi::Value argument = parts[i + 1];
    commands.emplace_back(ToText(name), ToEngineValue(argument));
  }
  return commands;
}

// [spec, outcome]; the statistics list the task under `name`.
Napi::Value ToTask(Info info, EngineTask task, const char* name) {
  PlacedSpec placed = Environment::From(info).operations().Adopt(std::move(task.spec), name);
  Napi::Array array = Napi::Array::New(info.Env(), 2);
  array.Set(0U, NewHandle<PlacedSpec>(info.Env(), std::move(placed)));
  array.Set(1U, NewHandle<OutcomeHandle>(info.Env(), std::move(task.outcome)));
  return array;
}

// (id or path, whether it is a path, id in the module, commands before and after the initialisation)
Napi::Value LoadEngine(Info info) {
  EngineRequest request;
  request.name = ToText(info[0]);
  request.is_path = ToBool(info[1]);
  request.id = ToText(info[2]);
  request.before_init = ToCommands(info[3]);
  request.after_init = ToCommands(info[4]);
  return ToTask(info, LoadEngineTask(std::move(request)), "load engine");
}

// The error of a failed task; otherwise undefined.
Napi::Value TakeError(Info info) {
  const EngineOutcome& outcome = ToObject<OutcomeHandle>(info[0]);
  return outcome.error ? ToJs(info.Env(), *outcome.error) : info.Env().Undefined();
}

Napi::Value TakeEngine(Info info) {
  return NewHandle<EngineHandle>(info.Env(), std::move(ToObject<OutcomeHandle>(info[0]).engine));
}

// (backend, engine, command, interval in milliseconds, thresholds)
Napi::Value PollEngine(Info info) {
  const EngineHandle engine = ToPointer<EngineHandle>(info[1]);
  Result<int> command = engine->PollCommand(ToText(info[2]));
  if (!command.ok()) return ToJs(info.Env(), command.error());
  // Operations in flight keep the engine.
  const PollDevice poll = [loaded = std::weak_ptr<Engine>(engine), number = command.value()] {
    const EngineHandle found = loaded.lock();
    return found != nullptr && found->Poll(number);
  };
  return ToJs(info.Env(),
              Environment::From(info).operations().StartPolling(ToText(info[0]), ToPollingOptions(info, 3), poll));
}

Napi::Value DescribeEngine(Info info) {
  const Napi::Env env = info.Env();
  const Engine& engine = ToObject<EngineHandle>(info[0]);
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", engine.id());
  object.Set("name", engine.name());
  object.Set("algorithms", ToJs(env, engine.Algorithms()));
  const std::vector<EngineCommand> found = engine.Commands();
  Napi::Array commands = Napi::Array::New(env, found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    Napi::Object command = Napi::Object::New(env);
    command.Set("name", found[i].name);
    command.Set("description", found[i].description);
    command.Set("takesNumber", found[i].takes_number);
    command.Set("takesText", found[i].takes_text);
    command.Set("takesNothing", found[i].takes_nothing);
    commands.Set(static_cast<uint32_t>(i), command);
  }
  object.Set("commands", commands);
  return object;
}

// (engine, command, value)
Napi::Value ControlEngine(Info info) {
  return ToTask(info, ControlEngineTask(ToPointer<EngineHandle>(info[0]), ToText(info[1]), ToEngineValue(info[2])),
                "control engine");
}

// (engine, id, whether private)
Napi::Value LoadEngineKey(Info info) {
  return ToTask(info, LoadEngineKeyTask(ToPointer<EngineHandle>(info[0]), ToText(info[1]), ToBool(info[2])),
                "load engine key");
}

Napi::Value FromKey(Info info, EvpPkeyPointer key, std::shared_ptr<void> holder, bool may_pause) {
  ProviderScope scope;
  scope.may_pause = may_pause;
  return NewHandle<KeyHandle>(info.Env(), std::make_shared<Key>(std::move(key), scope, std::move(holder)));
}

// (outcome, whether it pauses): [key, SubjectPublicKeyInfo]
Napi::Value TakeEngineKey(Info info) {
  EngineOutcome& outcome = ToObject<OutcomeHandle>(info[0]);
  Napi::Array array = Napi::Array::New(info.Env(), 2);
  EVP_PKEY_up_ref(outcome.key.get());
  EvpPkeyPointer key(outcome.key.get());
  array.Set(0U, FromKey(info, std::move(key), std::move(outcome.key), ToBool(info[1])));
  array.Set(1U, Napi::Buffer<unsigned char>::Copy(info.Env(), outcome.spki.data(), outcome.spki.size()));
  return array;
}

// (engine, PKCS#8, methods, whether it pauses)
Napi::Value BindEngineKey(Info info) {
  const EngineHandle& engine = ToPointer<EngineHandle>(info[0]);
  const ErrorQueueScope errors;
  EvpPkeyPointer key = Key::Decode(ToView(info[1]), true, nullptr, ProviderScope());
  if (!key) {
    const Error error = {"ERR_ASYNC_INVALID_KEY", "The key cannot be used", ErrorQueue::Take().Lines()};
    return ToJs(info.Env(), error);
  }
  Result<EvpPkeyPointer> bound = engine->Bind(std::move(key), ToUint32(info[2]));
  if (!bound.ok()) return ToJs(info.Env(), bound.error());
  return FromKey(info, std::move(bound.value()), engine, ToBool(info[3]));
}

// (engine, "RSA,EC")
Napi::Value SetDefaultEngine(Info info) {
  return ToJs(info.Env(), ToObject<EngineHandle>(info[0]).SetDefault(ToText(info[1])));
}

Napi::Value UnloadEngine(Info info) {
  ForgetDevices(info);
  ToHandle<EngineHandle>(info[0]).reset();
  return info.Env().Undefined();
}

// Nobody wants the task's outcome any more.
Napi::Value ReleaseOutcome(Info info) {
  ToHandle<OutcomeHandle>(info[0]).reset();
  return info.Env().Undefined();
}

Napi::Value ListEngines(Info info) {
  const std::vector<EngineInfo> found = Engine::List();
  Napi::Array list = Napi::Array::New(info.Env(), found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    Napi::Object engine = Napi::Object::New(info.Env());
    engine.Set("id", found[i].id);
    engine.Set("name", found[i].name);
    engine.Set("loaded", found[i].is_loaded);
    list.Set(static_cast<uint32_t>(i), engine);
  }
  return list;
}

}  // namespace

void AddEngineExports(Exports& addon) {
  Exports engines = addon.Subject("engines");
  engines.Add("load", &LoadEngine);
  engines.Add("takeError", &TakeError);
  engines.Add("takeEngine", &TakeEngine);
  engines.Add("describe", &DescribeEngine);
  engines.Add("poll", &PollEngine);
  engines.Add("control", &ControlEngine);
  engines.Add("loadKey", &LoadEngineKey);
  engines.Add("takeKey", &TakeEngineKey);
  engines.Add("bindKey", &BindEngineKey);
  engines.Add("setDefault", &SetDefaultEngine);
  engines.Add("unload", &UnloadEngine);
  engines.Add("releaseOutcome", &ReleaseOutcome);
  engines.Add("list", &ListEngines);
}

}  // namespace openssl_async
