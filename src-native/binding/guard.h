// Wraps every function that JavaScript calls: std::bad_alloc becomes an error with a code.
#pragma once

#include <napi.h>

#include <new>

namespace openssl_async {

template <typename Function>
auto Guarded(Function function) {
  return [function](const Napi::CallbackInfo& info) -> Napi::Value {
    try {
      return function(info);
    } catch (const std::bad_alloc&) {
      Napi::Error error = Napi::Error::New(info.Env(), "There is not enough memory");
      error.Set("code", Napi::String::New(info.Env(), "ERR_ASYNC_OUT_OF_MEMORY"));
      throw error;
    }
  };
}

}  // namespace openssl_async
