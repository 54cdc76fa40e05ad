// A context of the accelerator for work with keys, or for key derivation: the default provider's context, and its keys.
#pragma once

#include <memory>

#include "accelerator/algorithms.h"
#include "accelerator/provider_key.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

using ContextInitFn = int(void* context, void* key, const OSSL_PARAM params[]);
using ContextNewFn = void*(void* provider);
using ContextFreeFn = void(void* context);
using ContextDuplicateFn = void*(void* context);
using ContextGetFn = int(void* context, OSSL_PARAM params[]);
using ContextSetFn = int(void* context, const OSSL_PARAM params[]);
using ContextParamsFn = const OSSL_PARAM*(void* context, void* provider);

struct OperationContext {
  OperationContext(const WrappedAlgorithm& used_algorithm, void* inner_context)
      : algorithm(used_algorithm), inner(inner_context) {}

  static OperationContext* From(void* context) { return static_cast<OperationContext*>(context); }

  const WrappedAlgorithm& algorithm;
  void* inner;
  KeyReference key;
  KeyReference other_key;
};

// The functions of all classes' contexts. `Ids` numbers a class's functions: kNew, kFree, kDuplicate, kGet, kGettable,
// kSet, kSettable.
template <typename Ids>
struct ContextFunctions {
  static void Free(void* data) {
    const std::unique_ptr<OperationContext> context(OperationContext::From(data));
    if (context) context->algorithm.template Get<ContextFreeFn>(Ids::kFree)(context->inner);
  }

  static void* Duplicate(void* data) {
    const OperationContext* context = OperationContext::From(data);
    void* inner = context->algorithm.template Get<ContextDuplicateFn>(Ids::kDuplicate)(context->inner);
    if (inner == nullptr) return nullptr;
    auto* duplicate = new OperationContext(context->algorithm, inner);
    duplicate->key = context->key;
    duplicate->other_key = context->other_key;
    return duplicate;
  }

  static int GetParams(void* data, OSSL_PARAM params[]) {
    const OperationContext* context = OperationContext::From(data);
    return context->algorithm.template Get<ContextGetFn>(Ids::kGet)(context->inner, params);
  }

  static int SetParams(void* data, const OSSL_PARAM params[]) {
    const OperationContext* context = OperationContext::From(data);
    return context->algorithm.template Get<ContextSetFn>(Ids::kSet)(context->inner, params);
  }

  // Sets the context up for work with a key. Without a key, sets it up again for the same.
  template <int kId>
  static int Init(void* data, void* key, const OSSL_PARAM params[]) {
    OperationContext* context = OperationContext::From(data);
    KeyReference given(static_cast<ProviderKey*>(key));
    const int result = context->algorithm.template Get<ContextInitFn>(kId)(context->inner, given.inner(), params);
    if (key != nullptr) context->key = std::move(given);
    return result;
  }
};

// Functions that are not told their algorithm: see BindSlot().
template <typename Ids>
struct ContextSlots {
  static inline const WrappedAlgorithm* slots[kMostOthers] = {};

  static void* New(size_t slot, void*) {
    const WrappedAlgorithm& algorithm = *slots[slot];
    void* inner = algorithm.Get<ContextNewFn>(Ids::kNew)(DefaultProvider::Get()->context());
    return inner == nullptr ? nullptr : new OperationContext(algorithm, inner);
  }

  template <int kId>
  static const OSSL_PARAM* Params(size_t slot, void* data, void*) {
    void* inner = data == nullptr ? nullptr : OperationContext::From(data)->inner;
    return slots[slot]->Get<ContextParamsFn>(kId)(inner, DefaultProvider::Get()->context());
  }
};

// The functions that all contexts of a class have, and `more`.
template <typename Ids>
std::vector<OSSL_DISPATCH> WrapContext(size_t slot, const WrappedAlgorithm& algorithm,
                                       std::initializer_list<OSSL_DISPATCH> more) {
  using Functions = ContextFunctions<Ids>;
  using Slots = ContextSlots<Ids>;
  Slots::slots[slot] = &algorithm;
  std::vector<OSSL_DISPATCH> functions = {
      {Ids::kNew, BindSlot<Slots::New, kMostOthers>(slot)},
      {Ids::kFree, ToAnyFunction(Functions::Free)},
      {Ids::kDuplicate, ToAnyFunction(Functions::Duplicate)},
      {Ids::kGet, ToAnyFunction(Functions::GetParams)},
      {Ids::kGettable, BindSlot<Slots::template Params<Ids::kGettable>, kMostOthers>(slot)},
      {Ids::kSet, ToAnyFunction(Functions::SetParams)},
      {Ids::kSettable, BindSlot<Slots::template Params<Ids::kSettable>, kMostOthers>(slot)},
  };
  functions.insert(functions.end(), more.begin(), more.end());
  return OnlyImplemented(algorithm.functions, functions);
}

}  // namespace openssl_async
