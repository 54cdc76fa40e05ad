// The key management that both of our providers share. A provider adds functions where its keys differ from the wrapped
// ones.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "wrapping/newer_functions.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

// A provider's functions for its own keys. Each function has a type of its own, so a wrong order does not compile.
struct KeyFunctions {
  OSSL_FUNC_keymgmt_free_fn* free;
  OSSL_FUNC_keymgmt_get_params_fn* get_params;
  OSSL_FUNC_keymgmt_set_params_fn* set_params;
  OSSL_FUNC_keymgmt_has_fn* has;
  OSSL_FUNC_keymgmt_validate_fn* validate;
  OSSL_FUNC_keymgmt_match_fn* match;
  OSSL_FUNC_keymgmt_import_fn* import;
  OSSL_FUNC_keymgmt_export_fn* export_key;
  OSSL_FUNC_keymgmt_dup_fn* duplicate;
};

// `kNewKey` makes a provider's key, which owns `inner`; null for a null `inner`.
template <void* (*kNewKey)(const WrappedAlgorithm& algorithm, void* inner), size_t kMost>
class KeymgmtFrame {
 public:
  // The functions of the algorithm in `slot`, without the ones that it lacks. `others`: such as generation.
  static std::vector<OSSL_DISPATCH> Wrap(size_t slot, const WrappedAlgorithm& algorithm, const KeyFunctions& own,
                                         std::initializer_list<OSSL_DISPATCH> others = {}) {
    slots[slot] = &algorithm;
    const auto as_it_is = [&](int id) { return OSSL_DISPATCH{id, algorithm.Get<void()>(id)}; };
    constexpr int kGettable = OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS;
    constexpr int kSettable = OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS;
    std::vector<OSSL_DISPATCH> functions = {
        {OSSL_FUNC_KEYMGMT_NEW, BindSlot<NewEmpty, kMost>(slot)},
        {OSSL_FUNC_KEYMGMT_FREE, ToAnyFunction(own.free)},
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, ToAnyFunction(own.get_params)},
        {kGettable, BindSlot<KeyParams<kGettable>, kMost>(slot)},
        {OSSL_FUNC_KEYMGMT_SET_PARAMS, ToAnyFunction(own.set_params)},
        {kSettable, BindSlot<KeyParams<kSettable>, kMost>(slot)},
        as_it_is(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME),
        {OSSL_FUNC_KEYMGMT_HAS, ToAnyFunction(own.has)},
        {OSSL_FUNC_KEYMGMT_VALIDATE, ToAnyFunction(own.validate)},
        {OSSL_FUNC_KEYMGMT_MATCH, ToAnyFunction(own.match)},
        {OSSL_FUNC_KEYMGMT_IMPORT, ToAnyFunction(own.import)},
        as_it_is(OSSL_FUNC_KEYMGMT_IMPORT_TYPES),
        {OSSL_FUNC_KEYMGMT_EXPORT, ToAnyFunction(own.export_key)},
        as_it_is(OSSL_FUNC_KEYMGMT_EXPORT_TYPES),
        {kKeymgmtImportTypesEx, BindSlot<SelectedParams<kKeymgmtImportTypesEx>, kMost>(slot)},
        {kKeymgmtExportTypesEx, BindSlot<SelectedParams<kKeymgmtExportTypesEx>, kMost>(slot)},
        {OSSL_FUNC_KEYMGMT_DUP, ToAnyFunction(own.duplicate)},
    };
    functions.insert(functions.end(), others);
    return OnlyImplemented(algorithm.functions, std::move(functions));
  }

  // For `others` that are not told their algorithm.
  static const WrappedAlgorithm& AlgorithmIn(size_t slot) { return *slots[slot]; }

 private:
  static void* InnerContext() { return DefaultProvider::Get()->context(); }

  static void* NewEmpty(size_t slot, void*) {
    const auto create = slots[slot]->template Get<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW);
    return kNewKey(*slots[slot], create(InnerContext()));
  }

  template <int kId>
  static const OSSL_PARAM* KeyParams(size_t slot, void*) {
    return slots[slot]->template Get<OSSL_FUNC_keymgmt_gettable_params_fn>(kId)(InnerContext());
  }

  template <int kId>
  static const OSSL_PARAM* SelectedParams(size_t slot, void*, int selection) {
    return slots[slot]->template Get<KeymgmtTypesExFn>(kId)(InnerContext(), selection);
  }

  static inline const WrappedAlgorithm* slots[kMost] = {};
};

}  // namespace openssl_async
