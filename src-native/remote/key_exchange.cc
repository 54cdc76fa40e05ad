// Secrets that the holder of a key agrees on with a peer.
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/proverr.h>

#include <cstring>

#include "remote/context.h"

namespace openssl_async {

namespace {

// Has no context of the default provider's: there are no parameters that a holder could be told.
struct Context {
  static Context* From(void* context) { return static_cast<Context*>(context); }

  RemoteKeyPointer key;
  RemoteKeyPointer peer;
};

void* New(void*) { return new Context(); }
void Free(void* context) { delete Context::From(context); }
void* Duplicate(void* context) { return new Context(*Context::From(context)); }

int Init(void* data, void* key, const OSSL_PARAM[]) {
  if (key != nullptr) Context::From(data)->key = ToRemoteKey(key);
  return Context::From(data)->key ? 1 : 0;
}

int SetPeer(void* data, void* key) {
  Context* context = Context::From(data);
  const RemoteKeyPointer& peer = ToRemoteKey(key);
  if (!context->key || !context->key->IsOfSameGroup(*peer)) {
    ERR_raise(ERR_LIB_PROV, PROV_R_MISMATCHING_DOMAIN_PARAMETERS);
    return 0;
  }
  context->peer = peer;
  return 1;
}

// The size of one coordinate.
size_t SecretSize(const RemoteKey& key) {
  const size_t size = key.Point().size();
  return key.algorithm().Is("EC") ? (size - 1) / 2 : size;
}

int Derive(void* data, unsigned char* secret, size_t* secret_size, size_t capacity) {
  const Context& context = *Context::From(data);
  if (!context.key || !context.peer) {
    ERR_raise(ERR_LIB_PROV, PROV_R_MISSING_KEY);
    return 0;
  }
  const std::vector<unsigned char> point = context.peer->Point();
  if (point.empty()) {
    ERR_raise(ERR_LIB_PROV, PROV_R_INVALID_KEY);
    return 0;
  }
  const size_t size = SecretSize(*context.key);
  if (secret == nullptr) {
    *secret_size = size;
    return 1;
  }
  if (capacity < size) {
    ERR_raise(ERR_LIB_PROV, PROV_R_OUTPUT_BUFFER_TOO_SMALL);
    return 0;
  }
  RemoteQuestion question;
  question.operation = RemoteOperation::kDerive;
  question.bytes = {point.data(), point.size()};
  SecretBytes answer;
  if (!context.key->Ask(question, &answer)) return 0;
  if (answer.size() != size) {
    RaiseOwn(OwnReason::kRemoteKeyInvalidResult, "The remote key's secret has a wrong length");
    return 0;
  }
  memcpy(secret, answer.data(), size);
  *secret_size = size;
  return 1;
}

}  // namespace

std::vector<OSSL_DISPATCH> RemoteKeyExchange(size_t, const WrappedAlgorithm&) {
  return {
      {OSSL_FUNC_KEYEXCH_NEWCTX, ToAnyFunction(New)},
      {OSSL_FUNC_KEYEXCH_FREECTX, ToAnyFunction(Free)},
      {OSSL_FUNC_KEYEXCH_DUPCTX, ToAnyFunction(Duplicate)},
      {OSSL_FUNC_KEYEXCH_INIT, ToAnyFunction(Init)},
      {OSSL_FUNC_KEYEXCH_SET_PEER, ToAnyFunction(SetPeer)},
      {OSSL_FUNC_KEYEXCH_DERIVE, ToAnyFunction(Derive)},
      {0, nullptr},
  };
}

}  // namespace openssl_async
