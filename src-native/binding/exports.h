// The functions of an environment's addon. Each call of open() gives JavaScript an object with all of them, bound to an
// Environment of its own.
#pragma once

#include <napi.h>

#include "binding/environment.h"
#include "binding/guard.h"

namespace openssl_async {

class Exports {
 public:
  Exports(Napi::Object object, Environment& environment) : object_(object), environment_(environment) {}

  // `function` finds its environment with Environment::From().
  template <typename Function>
  void Add(const char* name, Function function) {
    object_.Set(name, Napi::Function::New(object_.Env(), Guarded(function), name, &environment_));
  }

 private:
  Napi::Object object_;
  Environment& environment_;
};

}  // namespace openssl_async
