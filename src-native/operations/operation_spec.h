// The common part of calls of one kind: fetched algorithms, the key, parameters. Made once, used by any number of calls
// at a time, on any thread. Each family of operations has a file of its own; registry.h makes specs by family.
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

// The provider that a context was initialised with; null for none.
inline const OSSL_PROVIDER* ProviderOf(const EvpPkeyCtxPointer& context) {
  return context ? EVP_PKEY_CTX_get0_provider(context.get()) : nullptr;
}

class OperationSpec {
 public:
  OperationSpec() = default;
  virtual ~OperationSpec() = default;
  OperationSpec(const OperationSpec&) = delete;
  OperationSpec& operator=(const OperationSpec&) = delete;

  // Carries out a call. False when it failed: the reason is on the thread's OpenSSL error queue, or was given to
  // Operation::Fail(). May run on a job's stack: no big locals, no exceptions but std::bad_alloc, no locks over a
  // pause.
  virtual bool Run(Operation& operation) = 0;
  // The key that a call has made; null in families that make none.
  virtual std::shared_ptr<Key> TakeKey() { return nullptr; }
  // The provider that calls will use; null when unknown before a call. Valid while that provider is loaded.
  virtual const OSSL_PROVIDER* Provider() { return nullptr; }
  // The bytes that a call's cost grows with: its inputs, unless overridden.
  virtual size_t WorkBytes(const Operation& operation) const;
  // Whether Run() refuses the call before any work: such a call needs no other thread and no copies of its inputs.
  virtual bool IsHopeless(const Operation&) const { return false; }

  // Whether calls may pause: they are then run as jobs, and where there are none, on threads of the pool.
  bool may_pause() const { return may_pause_; }
  void set_may_pause(bool may_pause) { may_pause_ = may_pause; }

  // Whether calls block their thread while somebody else does the work. Their time says nothing about this machine, and
  // they are kept off the loop's thread.
  bool blocks() const { return blocks_; }
  void set_blocks(bool blocks) { blocks_ = blocks; }

  // Whether calls may wait for JavaScript on the loop's thread. Where there are no jobs, they wait on threads of their
  // own: JavaScript may need the pool for its answer.
  bool asks_javascript() const { return asks_javascript_; }
  void set_asks_javascript(bool asks_javascript) { asks_javascript_ = asks_javascript; }

  // Whether calls work with a key pair, which accelerators count apart.
  bool is_asymmetric() const { return is_asymmetric_; }
  void set_asymmetric(bool is_asymmetric) { is_asymmetric_ = is_asymmetric; }

  // The spec to try when this one fails; null for none.
  const std::shared_ptr<OperationSpec>& fallback() const { return fallback_; }
  void set_fallback(std::shared_ptr<OperationSpec> fallback) { fallback_ = std::move(fallback); }

 private:
  bool may_pause_ = false;
  bool is_asymmetric_ = false;
  bool blocks_ = false;
  bool asks_javascript_ = false;
  std::shared_ptr<OperationSpec> fallback_;
};

// JavaScript's description of a spec. Each family's factory says what its entries mean.
struct SpecRequest {
  std::vector<std::string> names;
  std::vector<double> numbers;  // NaN for absent
  std::vector<std::shared_ptr<Key>> keys;
  std::vector<SecretBytes> bytes;
  ProviderScope scope;                    // the keys' own, if there are keys
  std::shared_ptr<OperationSpec> source;  // the spec whose state the new one starts with; mostly null

  bool has(size_t index) const { return index < numbers.size() && numbers[index] == numbers[index]; }
  int integer(size_t index) const { return static_cast<int>(numbers[index]); }
};

using SpecResult = Result<std::shared_ptr<OperationSpec>>;

}  // namespace openssl_async
