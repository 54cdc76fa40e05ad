// A key of the accelerator: the default provider's key, with measured times and cached contexts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "accelerator/message_contexts.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

enum class KeyUse : uint8_t {
  kSign,
  kVerify,
  kRecover,
  kEncrypt,
  kDecrypt,
  kDerive,
  kEncapsulate,
  kDecapsulate,
  kCheck
};

class ProviderKey {
 public:
  // Owns `inner`, key data of `algorithm`.
  ProviderKey(const WrappedAlgorithm& algorithm, void* inner) : algorithm_(algorithm), inner_(inner) {}
  ProviderKey(const ProviderKey&) = delete;
  ProviderKey& operator=(const ProviderKey&) = delete;

  const WrappedAlgorithm& algorithm() const { return algorithm_; }
  void* inner() const { return inner_; }
  RunTime& run_time(KeyUse use) { return run_times_[static_cast<size_t>(use)]; }
  MessageContexts& message_contexts() { return message_contexts_; }
  // Whether its private part may leave the provider.
  bool exportable() const { return exportable_; }
  void set_exportable(bool exportable) { exportable_ = exportable; }

  void AddReference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  static constexpr size_t kUses = static_cast<size_t>(KeyUse::kCheck) + 1;

  ~ProviderKey() {
    message_contexts_.Clear();  // they use the key
    if (inner_ != nullptr) algorithm_.Get<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE)(inner_);
  }

  const WrappedAlgorithm& algorithm_;
  void* inner_;
  bool exportable_ = false;
  std::atomic<unsigned> references_{1};
  RunTime run_times_[kUses];
  MessageContexts message_contexts_;
};

// A counted reference to a key.
class KeyReference {
 public:
  KeyReference() = default;
  explicit KeyReference(ProviderKey* key) : key_(key) {
    if (key != nullptr) key->AddReference();
  }
  KeyReference(const KeyReference& other) : KeyReference(other.key_) {}
  KeyReference(KeyReference&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
  KeyReference& operator=(KeyReference other) noexcept {
    std::swap(key_, other.key_);
    return *this;
  }
  ~KeyReference() {
    if (key_ != nullptr) key_->Release();
  }

  ProviderKey* get() const { return key_; }
  ProviderKey* operator->() const { return key_; }
  void* inner() const { return key_ == nullptr ? nullptr : key_->inner(); }
  // The measured time of the key's work; null without a key.
  RunTime* run_time(KeyUse use) const { return key_ == nullptr ? nullptr : &key_->run_time(use); }

 private:
  ProviderKey* key_ = nullptr;
};

}  // namespace openssl_async
