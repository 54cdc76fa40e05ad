// Keys. Generation and validation may take long and are offloaded; everything else runs on the caller's thread.
#include <openssl/params.h>

#include "accelerator/algorithms.h"
#include "accelerator/provider_key.h"
#include "wrapping/keymgmt_frame.h"

namespace openssl_async {

namespace {

constexpr OffloadClass kClass = OffloadClass::kKeyManagement;

ProviderKey* ToKey(void* key) { return static_cast<ProviderKey*>(key); }
ProviderKey* ToKey(const void* key) { return static_cast<ProviderKey*>(const_cast<void*>(key)); }

// Owns `inner`.
void* NewKey(const WrappedAlgorithm& algorithm, void* inner) {
  return inner == nullptr ? nullptr : new ProviderKey(algorithm, inner);
}

void Free(void* key) {
  if (key != nullptr) ToKey(key)->Release();
}

int Has(const void* key, int selection) {
  if (key == nullptr) return 0;
  const WrappedAlgorithm& algorithm = ToKey(key)->algorithm();
  return algorithm.Get<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS)(ToKey(key)->inner(), selection);
}

int Match(const void* key, const void* other, int selection) {
  const auto match = ToKey(key)->algorithm().Get<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH);
  return match(ToKey(key)->inner(), ToKey(other)->inner(), selection);
}

int Validate(const void* key_data, int selection, int check_type) {
  ProviderKey* key = ToKey(key_data);
  const auto validate = key->algorithm().Get<OSSL_FUNC_keymgmt_validate_fn>(OSSL_FUNC_KEYMGMT_VALIDATE);
  const auto work = [&] { return validate(key->inner(), selection, check_type); };
  // Every TLS handshake checks its peer's public key. These algorithms check only its length.
  const bool is_short = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 &&
                        (key->algorithm().Is("X25519") || key->algorithm().Is("X448"));
  if (!is_short) return Offload(kClass, &key->run_time(KeyUse::kCheck), work);
  CountInline(kClass);
  return work();
}

int Import(void* key, int selection, const OSSL_PARAM params[]) {
  const auto import = ToKey(key)->algorithm().Get<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT);
  return import(ToKey(key)->inner(), selection, params);
}

// libcrypto exports the whole key when another provider's operation is to use it. A private key that we gave away would
// silently be used there, and nothing would pause. Refused without an error in the queue: libcrypto then goes on with
// the next provider. A key that is generated to be given away is "accelerator-exportable".
int Export(void* key_data, int selection, OSSL_CALLBACK* callback, void* argument) {
  ProviderKey* key = ToKey(key_data);
  const bool is_private = (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  if (is_private && !key->exportable() && Has(key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 1) return 0;
  const auto export_key = key->algorithm().Get<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT);
  return export_key(key->inner(), selection, callback, argument);
}

void* Duplicate(const void* key_data, int selection) {
  const ProviderKey* key = ToKey(key_data);
  const auto duplicate = key->algorithm().Get<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP);
  return NewKey(key->algorithm(), duplicate(key->inner(), selection));
}

int GetParams(void* key, OSSL_PARAM params[]) {
  const auto get = ToKey(key)->algorithm().Get<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS);
  return get(ToKey(key)->inner(), params);
}

int SetParams(void* key, const OSSL_PARAM params[]) {
  const auto set = ToKey(key)->algorithm().Get<OSSL_FUNC_keymgmt_set_params_fn>(OSSL_FUNC_KEYMGMT_SET_PARAMS);
  return set(ToKey(key)->inner(), params);
}

// --- Generation

struct Generation {
  const WrappedAlgorithm& algorithm;
  void* inner;
  bool is_short;
  bool exportable;
};

Generation* ToGeneration(void* generation) { return static_cast<Generation*>(generation); }

int SetTemplate(void* generation, void* key) {
  const auto set = ToGeneration(generation)
                       ->algorithm.Get<OSSL_FUNC_keymgmt_gen_set_template_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE);
  return set(ToGeneration(generation)->inner, ToKey(key)->inner());
}

int SetGenerationParams(void* generation, const OSSL_PARAM params[]) {
  const auto set =
      ToGeneration(generation)->algorithm.Get<OSSL_FUNC_keymgmt_gen_set_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS);
  int exportable = 0;
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, "accelerator-exportable");
  if (param != nullptr && OSSL_PARAM_get_int(param, &exportable) == 1) {
    ToGeneration(generation)->exportable = exportable != 0;
  }
  return set(ToGeneration(generation)->inner, params);
}

int GetGenerationParams(void* generation, OSSL_PARAM params[]) {
  const auto get = ToGeneration(generation)->algorithm.Get<KeymgmtGenGetParamsFn>(kKeymgmtGenGetParams);
  return get(ToGeneration(generation)->inner, params);
}

void* Generate(void* generation_data, OSSL_CALLBACK* callback, void* argument) {
  Generation* generation = ToGeneration(generation_data);
  const auto generate = generation->algorithm.Get<OSSL_FUNC_keymgmt_gen_fn>(OSSL_FUNC_KEYMGMT_GEN);
  void* inner = nullptr;
  if (generation->is_short) {
    CountInline(kClass);
    return NewKey(generation->algorithm, generate(generation->inner, callback, argument));
  }
  // Callers expect reports of progress on their own thread, which does something else while a job is paused: jobs get
  // none.
  if (ASYNC_get_current_job() != nullptr) callback = [](const OSSL_PARAM*, void*) { return 1; };
  Offload(kClass, &generation->algorithm.run_time, [&] {
    inner = generate(generation->inner, callback, argument);
    return inner != nullptr ? 1 : 0;
  });
  void* key = NewKey(generation->algorithm, inner);
  if (key != nullptr) ToKey(key)->set_exportable(generation->exportable);
  return key;
}

void FreeGeneration(void* generation_data) {
  Generation* generation = ToGeneration(generation_data);
  if (generation == nullptr) return;
  generation->algorithm.Get<OSSL_FUNC_keymgmt_gen_cleanup_fn>(OSSL_FUNC_KEYMGMT_GEN_CLEANUP)(generation->inner);
  delete generation;
}

// --- Functions that are not told their algorithm

using Frame = KeymgmtFrame<NewKey, kMostKeys>;

void* DefaultContext() { return DefaultProvider::Get()->context(); }

void* BeginGeneration(size_t slot, void*, int selection, const OSSL_PARAM params[]) {
  const WrappedAlgorithm& algorithm = Frame::AlgorithmIn(slot);
  const auto begin = algorithm.Get<OSSL_FUNC_keymgmt_gen_init_fn>(OSSL_FUNC_KEYMGMT_GEN_INIT);
  void* inner = begin(DefaultContext(), selection, params);
  if (inner == nullptr) return nullptr;
  // A group without a key, as TLS makes for each peer, is short work, unless its parameters must be searched for.
  const bool searches = algorithm.Is("DH") || algorithm.Is("DHX") || algorithm.Is("DSA");
  return new Generation{algorithm, inner, (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 && !searches, false};
}

const OSSL_PARAM* SettableGenerationParams(size_t slot, void* generation, void*) {
  constexpr int kId = OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS;
  const auto settable = Frame::AlgorithmIn(slot).Get<OSSL_FUNC_keymgmt_gen_settable_params_fn>(kId);
  return settable(generation == nullptr ? nullptr : ToGeneration(generation)->inner, DefaultContext());
}

const OSSL_PARAM* GettableGenerationParams(size_t slot, void* generation, void*) {
  const auto gettable = Frame::AlgorithmIn(slot).Get<KeymgmtGenGettableParamsFn>(kKeymgmtGenGettableParams);
  return gettable(generation == nullptr ? nullptr : ToGeneration(generation)->inner, DefaultContext());
}

}  // namespace

std::vector<OSSL_DISPATCH> WrapKeyManagement(size_t slot, const WrappedAlgorithm& algorithm) {
  return Frame::Wrap(slot, algorithm, {Free, GetParams, SetParams, Has, Validate, Match, Import, Export, Duplicate},
                     {
                         {OSSL_FUNC_KEYMGMT_GEN_INIT, BindSlot<BeginGeneration, kMostKeys>(slot)},
                         {OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, ToAnyFunction(SetTemplate)},
                         {OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, ToAnyFunction(SetGenerationParams)},
                         {OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, BindSlot<SettableGenerationParams, kMostKeys>(slot)},
                         {kKeymgmtGenGetParams, ToAnyFunction(GetGenerationParams)},
                         {kKeymgmtGenGettableParams, BindSlot<GettableGenerationParams, kMostKeys>(slot)},
                         {OSSL_FUNC_KEYMGMT_GEN, ToAnyFunction(Generate)},
                         {OSSL_FUNC_KEYMGMT_GEN_CLEANUP, ToAnyFunction(FreeGeneration)},
                     });
}

}  // namespace openssl_async
