#include "binding/error_scope.h"

#include "binding/exports.h"
#include "openssl/error_queue.h"

namespace openssl_async {

namespace {

// (function): what it returns. Functions of node:crypto leave errors of OpenSSL's behind, and report those that others
// have left. Whatever ends the function, an exception or the end of the worker, the queue is then as it was.
Napi::Value IsolateErrors(const Napi::CallbackInfo& info) {
  const ErrorQueueScope errors;
  napi_value result = nullptr;
  const napi_env env = info.Env();
  if (napi_call_function(env, info.Env().Undefined(), info[0], 0, nullptr, &result) != napi_ok) return {};
  return {env, result};
}

}  // namespace

void AddErrorScopeExports(Exports& exports) { exports.Add("isolateErrors", &IsolateErrors); }

}  // namespace openssl_async
