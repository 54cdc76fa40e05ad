// The functions of an environment's addon, by subject. Each call of open() gives JavaScript an object with all of them,
// bound to an Environment of its own.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "binding/environment.h"
#include "binding/guard.h"

namespace openssl_async {

class Exports {
 public:
  // The addon itself. When the last of the addon's objects is collected, the environment closes, unless it has already.
  Exports(Napi::Object addon, const std::shared_ptr<Environment>& environment)
      : Exports(addon, std::make_shared<Hold>(environment)) {}

  // Adds an object with the functions of one subject.
  Exports Subject(const char* name) {
    Napi::Object subject = Napi::Object::New(object_.Env());
    object_.Set(name, subject);
    return Exports(subject, hold_);
  }

  // As Subject(), for functions that few programs need: calling `name` makes the object.
  template <typename Fill>
  void SubjectOnCall(const char* name, Fill fill) {
    const auto make = [hold = hold_, fill](const Napi::CallbackInfo& info) -> Napi::Value {
      Napi::Object subject = Napi::Object::New(info.Env());
      Exports exports(subject, hold);
      fill(exports);
      return subject;
    };
    object_.Set(name, Napi::Function::New(object_.Env(), Guarded(make), name));
  }

  // `function` finds its environment with Environment::From().
  template <typename Function>
  void Add(const char* name, Function function) {
    object_.Set(name, Napi::Function::New(object_.Env(), Guarded(function), name, hold_->environment.get()));
  }

 private:
  struct Hold {
    explicit Hold(std::shared_ptr<Environment> held) : environment(std::move(held)) {}
    ~Hold() { environment->CloseUnused(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    std::shared_ptr<Environment> environment;
  };

  Exports(Napi::Object object, std::shared_ptr<Hold> hold) : object_(object), hold_(std::move(hold)) {
    auto owned = std::make_unique<std::shared_ptr<Hold>>(hold_);
    object_.AddFinalizer([](Napi::Env, std::shared_ptr<Hold>* finalized) { delete finalized; }, owned.get());
    static_cast<void>(owned.release());
  }

  Napi::Object object_;
  std::shared_ptr<Hold> hold_;
};

}  // namespace openssl_async
