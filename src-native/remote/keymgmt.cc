// Keys. The public part is the default provider's; of the private part only its holder is known.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "remote/holder_table.h"
#include "remote/remote_key.h"
#include "wrapping/keymgmt_frame.h"

namespace openssl_async {

namespace {

constexpr int kPrivate = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;

void* NewKey(const WrappedAlgorithm& algorithm, void* inner) {
  return inner == nullptr ? nullptr : new RemoteKeyPointer(std::make_shared<RemoteKey>(algorithm, inner));
}

template <typename Function>
Function* InnerFunction(const void* key, int id) {
  return ToRemoteKey(key)->algorithm().Get<Function>(id);
}

void Free(void* key) { delete static_cast<RemoteKeyPointer*>(key); }

int Has(const void* key, int selection) {
  if (key == nullptr) return 0;
  if ((selection & kPrivate) != 0 && ToRemoteKey(key)->holder() == nullptr) return 0;
  return InnerFunction<OSSL_FUNC_keymgmt_has_fn>(key, OSSL_FUNC_KEYMGMT_HAS)(ToRemoteKey(key)->inner(),
                                                                             selection & ~kPrivate);
}

// Private parts are compared by their public parts.
int Match(const void* key, const void* other, int selection) {
  if ((selection & kPrivate) != 0) selection = (selection & ~kPrivate) | OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
  const auto match = InnerFunction<OSSL_FUNC_keymgmt_match_fn>(key, OSSL_FUNC_KEYMGMT_MATCH);
  return match(ToRemoteKey(key)->inner(), ToRemoteKey(other)->inner(), selection);
}

int Validate(const void* key, int selection, int check_type) {
  const auto validate = InnerFunction<OSSL_FUNC_keymgmt_validate_fn>(key, OSSL_FUNC_KEYMGMT_VALIDATE);
  return validate(ToRemoteKey(key)->inner(), selection & ~kPrivate, check_type);
}

int Import(void* key, int selection, const OSSL_PARAM params[]) {
  for (const char* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D}) {
    if (OSSL_PARAM_locate_const(params, name) != nullptr) return 0;  // a given private key is not held elsewhere
  }
  const auto import = InnerFunction<OSSL_FUNC_keymgmt_import_fn>(key, OSSL_FUNC_KEYMGMT_IMPORT);
  if (import(ToRemoteKey(key)->inner(), selection & ~kPrivate, params) != 1) return 0;
  const OSSL_PARAM* holder_param = OSSL_PARAM_locate_const(params, kHolderParam);
  if (holder_param == nullptr) return 1;
  uint64_t number = 0;
  if (OSSL_PARAM_get_uint64(holder_param, &number) != 1) return 0;
  std::shared_ptr<const RemoteHolder> holder = HolderTicket::Find(number);
  if (!holder) return 0;
  ToRemoteKey(key)->set_holder(std::move(holder));
  return 1;
}

// libcrypto exports the whole key when another provider's operation is to use it. With the public part alone, that
// provider would take the key for a public one. Refused without an error in the queue: libcrypto then goes on with our
// own operation.
int Export(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  if ((selection & kPrivate) != 0 && ToRemoteKey(key)->holder() != nullptr) return 0;
  const auto export_key = InnerFunction<OSSL_FUNC_keymgmt_export_fn>(key, OSSL_FUNC_KEYMGMT_EXPORT);
  return export_key(ToRemoteKey(key)->inner(), selection, callback, argument);
}

void* Duplicate(const void* key, int selection) {
  const RemoteKeyPointer& from = ToRemoteKey(key);
  const auto duplicate = InnerFunction<OSSL_FUNC_keymgmt_dup_fn>(key, OSSL_FUNC_KEYMGMT_DUP);
  void* copy = NewKey(from->algorithm(), duplicate(from->inner(), selection & ~kPrivate));
  if (copy != nullptr && (selection & kPrivate) != 0) ToRemoteKey(copy)->set_holder(from->shared_holder());
  return copy;
}

int GetParams(void* key, OSSL_PARAM params[]) {
  const auto get = InnerFunction<OSSL_FUNC_keymgmt_get_params_fn>(key, OSSL_FUNC_KEYMGMT_GET_PARAMS);
  return get(ToRemoteKey(key)->inner(), params);
}

// For peers' keys, which are filled in bit by bit. A key with a holder cannot change.
int SetParams(void* key, const OSSL_PARAM params[]) {
  if (params == nullptr || params[0].key == nullptr) return 1;
  if (ToRemoteKey(key)->holder() != nullptr) return 0;
  const auto set = InnerFunction<OSSL_FUNC_keymgmt_set_params_fn>(key, OSSL_FUNC_KEYMGMT_SET_PARAMS);
  return set(ToRemoteKey(key)->inner(), params);
}

}  // namespace

std::vector<OSSL_DISPATCH> RemoteKeyManagement(size_t slot, const WrappedAlgorithm& algorithm) {
  return KeymgmtFrame<NewKey, kMostRemote>::Wrap(
      slot, algorithm, {Free, GetParams, SetParams, Has, Validate, Match, Import, Export, Duplicate});
}

}  // namespace openssl_async
