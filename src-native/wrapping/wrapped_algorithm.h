// The default provider's implementations, as our providers wrap them.
//
// An object of our providers (a key, a context) holds an object of the default provider and calls its functions. All
// keys of one kind, and the contexts that work with them, share these functions. Every parameter, error and size thus
// stays as OpenSSL has it, without a line per algorithm, and without the cost of a second pass through EVP.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "openssl/pointers.h"
#include "pool/offload.h"

namespace openssl_async {

using AnyFunction = void (*)();

template <typename Function>
AnyFunction ToAnyFunction(Function* function) {
  return reinterpret_cast<AnyFunction>(function);
}

// An implementation's functions by their numbers in openssl/core_dispatch.h.
class FunctionTable {
 public:
  explicit FunctionTable(const OSSL_DISPATCH* functions);

  bool Has(int id) const { return functions_[id] != nullptr; }
  // Null when it has none.
  template <typename Function>
  Function* Get(int id) const {
    return reinterpret_cast<Function*>(functions_[id]);
  }

 private:
  // Later versions of OpenSSL may have more; unknown functions are not wrapped.
  static constexpr int kFunctions = 64;

  AnyFunction functions_[kFunctions] = {};
};

struct WrappedAlgorithm {
  explicit WrappedAlgorithm(const OSSL_ALGORITHM& algorithm)
      : implementation(algorithm), functions(algorithm.implementation) {}

  template <typename Function>
  Function* Get(int id) const {
    return functions.Get<Function>(id);
  }
  // Whether `name` is one of its names.
  bool Is(const char* name) const;

  const OSSL_ALGORITHM implementation;  // its pointers stay valid
  FunctionTable functions;
  mutable RunTime run_time;  // of work without a key
};

// A default provider in a library context of our own. It serves every context that our providers are loaded into, and
// lives as long as the process, since the pool's threads have state in it. A process that is in FIPS mode at the first
// use has its own FIPS provider here instead: the validated module that its configuration has set up.
class DefaultProvider {
 public:
  // Null when there is none yet, or no memory for it: the next call tries again.
  static const DefaultProvider* Get();

  bool is_fips() const { return is_fips_; }

  void* context() const { return context_; }
  OSSL_PROVIDER* provider() const { return provider_; }
  OSSL_LIB_CTX* library_context() const { return library_context_; }
  // The list ends with an algorithm without a name; null when there are none.
  const OSSL_ALGORITHM* Query(int operation) const;

 private:
  DefaultProvider() = default;
  static const DefaultProvider* Load();
  static const DefaultProvider* LoadFips();
  static const DefaultProvider* Make(OSSL_LIB_CTX* library_context, OSSL_PROVIDER* loaded, bool is_fips);

  OSSL_LIB_CTX* library_context_ = nullptr;
  OSSL_PROVIDER* provider_ = nullptr;
  void* context_ = nullptr;
  bool is_fips_ = false;
};

// The algorithm's properties as if it were `provider`'s. They live as long as the process.
const char* PropertiesAs(const char* provider, const OSSL_ALGORITHM& algorithm);

// Some functions get neither key nor context, and so do not know their algorithm. They are compiled once for each slot
// in the list of a class's algorithms.
template <auto kFunction, size_t kSlot, typename Result, typename... Arguments>
Result CallAtSlot(Arguments... arguments) {
  return kFunction(kSlot, arguments...);
}

template <auto kFunction, typename Result, typename... Arguments, size_t... kSlots>
AnyFunction BindSlotOf(Result (*)(size_t, Arguments...), size_t slot, std::index_sequence<kSlots...>) {
  static constexpr Result (*kBound[])(Arguments...) = {&CallAtSlot<kFunction, kSlots, Result, Arguments...>...};
  return ToAnyFunction(kBound[slot]);
}

// `kFunction` without its first parameter, which is always `slot`.
template <auto kFunction, size_t kMost>
AnyFunction BindSlot(size_t slot) {
  return BindSlotOf<kFunction>(kFunction, slot, std::make_index_sequence<kMost>());
}

// Drops the functions that the implementation lacks, and adds the end mark.
std::vector<OSSL_DISPATCH> OnlyImplemented(const FunctionTable& table, std::vector<OSSL_DISPATCH> functions);

}  // namespace openssl_async
