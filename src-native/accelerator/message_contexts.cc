#include "accelerator/message_contexts.h"

#include <utility>

namespace openssl_async {

namespace {

void FreeContext(const WrappedAlgorithm& algorithm, void* context) {
  algorithm.Get<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX)(context);
}

void* PopIdle(MessageSetup& setup) {
  if (setup.idle.empty()) return nullptr;
  void* context = setup.idle.back();
  setup.idle.pop_back();
  return context;
}

}  // namespace

MessageSetup* MessageContexts::Find(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name,
                                    void** context) {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return nullptr;
  for (MessageSetup& setup : setups_) {
    if (!setup.IsFor(algorithm, verifies, digest_name)) continue;
    *context = PopIdle(setup);
    return &setup;
  }
  return nullptr;
}

MessageSetup* MessageContexts::Add(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name) {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return nullptr;
  for (MessageSetup& setup : setups_) {
    if (setup.IsFor(algorithm, verifies, digest_name)) return &setup;
  }
  if (setups_.size() >= kMostSetups) return nullptr;
  return &setups_.emplace_back(algorithm, verifies, digest_name);
}

void* MessageContexts::Take(MessageSetup& setup) {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  return lock.owns_lock() ? PopIdle(setup) : nullptr;
}

void MessageContexts::Put(MessageSetup& setup, void* context, const CacheEpoch& taken) {
  {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (lock.owns_lock() && taken.is_current() && setup.idle.size() < kMostIdle) {
      setup.idle.push_back(context);
      return;
    }
  }
  FreeContext(setup.algorithm, context);
}

std::shared_ptr<void> MessageContexts::TakeAll() {
  struct Taken {
    ~Taken() {
      for (const auto& [algorithm, context] : contexts) FreeContext(*algorithm, context);
    }
    std::vector<std::pair<const WrappedAlgorithm*, void*>> contexts;
  };
  auto taken = std::make_shared<Taken>();
  const std::lock_guard<std::mutex> lock(mutex_);
  for (MessageSetup& setup : setups_) {
    for (void* context : setup.idle) taken->contexts.emplace_back(&setup.algorithm, context);
    setup.idle.clear();
  }
  return taken;
}

void MessageContexts::Clear() {
  Unregister();
  for (MessageSetup& setup : setups_) {
    for (void* context : setup.idle) FreeContext(setup.algorithm, context);
  }
  setups_.clear();
}

}  // namespace openssl_async
