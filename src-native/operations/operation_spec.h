// What calls of one kind have in common: fetched algorithms, the key, parameters. Made once, used by any number of
// calls at a time, on any thread. There is one file for each family of operations, and registry.h makes them by name.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "keys/key.h"
#include "keys/provider_scope.h"

namespace openssl_async {

class Operation;

// Whose implementation a context was initialised with; null for none.
inline const OSSL_PROVIDER* ProviderOf(const EvpPkeyCtxPointer& context) {
  return context ? EVP_PKEY_CTX_get0_provider(context.get()) : nullptr;
}

class OperationSpec {
 public:
  OperationSpec() = default;
  virtual ~OperationSpec() = default;
  OperationSpec(const OperationSpec&) = delete;
  OperationSpec& operator=(const OperationSpec&) = delete;

  // Carries a call out. False when it failed: the reason is on the thread's OpenSSL error queue, or was given to
  // Operation::Fail(). May be on a job's stack: no big locals, no exceptions but std::bad_alloc, no locks over a pause.
  virtual bool Run(Operation& operation) = 0;
  // The key that a call has made, for those that make one.
  virtual std::shared_ptr<Key> TakeKey() { return nullptr; }
  // Whose implementation calls take, where that is known before one; else null. It stays as long as it is loaded.
  virtual const OSSL_PROVIDER* Provider() { return nullptr; }
  // What the cost of a call grows with; the bytes of its inputs unless said otherwise.
  virtual size_t WorkBytes(const Operation& operation) const;
  // Whether Run() refuses it before it does any work: it then needs no other thread, and no copies of its inputs.
  virtual bool IsHopeless(const Operation&) const { return false; }

  // Whether what it runs may pause: then it is run as a job.
  bool may_pause() const { return may_pause_; }
  void set_may_pause(bool may_pause) { may_pause_ = may_pause; }

  // Whether it holds the thread while somebody else does the work: what it takes says nothing about this machine, and
  // it is kept off the loop's thread.
  bool blocks() const { return blocks_; }
  void set_blocks(bool blocks) { blocks_ = blocks; }

  // Works with a key pair, which accelerators count apart.
  bool is_asymmetric() const { return is_asymmetric_; }
  void set_asymmetric(bool is_asymmetric) { is_asymmetric_ = is_asymmetric; }

  // What is tried when this one fails; null for nothing.
  const std::shared_ptr<OperationSpec>& fallback() const { return fallback_; }
  void set_fallback(std::shared_ptr<OperationSpec> fallback) { fallback_ = std::move(fallback); }

 private:
  bool may_pause_ = false;
  bool is_asymmetric_ = false;
  bool blocks_ = false;
  std::shared_ptr<OperationSpec> fallback_;
};

// As JavaScript describes a spec. Which entry means what is the family's own affair, and stands at its factory.
struct SpecRequest {
  std::vector<std::string> names;
  std::vector<double> numbers;  // NaN for absent
  std::vector<std::shared_ptr<Key>> keys;
  std::vector<SecretBytes> bytes;
  ProviderScope scope;                    // that of the keys, if there are any
  std::shared_ptr<OperationSpec> source;  // whose state the new one starts with; mostly null

  bool has(size_t index) const { return index < numbers.size() && numbers[index] == numbers[index]; }
  int integer(size_t index) const { return static_cast<int>(numbers[index]); }
};

using SpecResult = Result<std::shared_ptr<OperationSpec>>;

}  // namespace openssl_async
