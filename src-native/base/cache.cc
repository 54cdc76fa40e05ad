#include "base/cache.h"

#include <atomic>
#include <mutex>
#include <vector>

namespace openssl_async {

namespace {

std::atomic<uint32_t> epoch{0};

struct Registry {
  std::mutex mutex;
  IntrusiveList<Cache> caches;
};

Registry& AllCaches() {
  static auto* registry = new Registry();  // never destroyed: caches unregister until the process ends
  return *registry;
}

}  // namespace

CacheEpoch::CacheEpoch() : value_(epoch.load(std::memory_order_acquire)) {}

bool CacheEpoch::is_current() const { return value_ == epoch.load(std::memory_order_acquire); }

Cache::Cache() {
  Registry& registry = AllCaches();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  registry.caches.PushBack(this);
}

void Cache::Unregister() {
  Registry& registry = AllCaches();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  if (linked()) registry.caches.Remove(this);
}

void Cache::ForgetAll() {
  Registry& registry = AllCaches();
  std::vector<std::shared_ptr<void>> taken;  // freed after the lock: a context may free its key, and the key its cache
  const std::lock_guard<std::mutex> lock(registry.mutex);
  epoch.fetch_add(1, std::memory_order_acq_rel);
  for (Cache* cache = registry.caches.front(); cache != nullptr; cache = registry.caches.Next(cache)) {
    taken.push_back(cache->TakeAll());
  }
}

}  // namespace openssl_async
