#include "operations/context_cache.h"

#include "openssl/pointers.h"
#include "support.h"

namespace openssl_async::testing {

TEST_SUITE("context cache") {
  TEST_CASE("a context that was put back is taken again, until all are forgotten") {
    ContextCache<EvpMdCtxPointer> cache;
    const CacheEpoch epoch;
    CHECK(cache.Take() == nullptr);
    EvpMdCtxPointer context(EVP_MD_CTX_new());
    const EVP_MD_CTX* first = context.get();
    cache.Put(std::move(context), epoch);
    context = cache.Take();
    CHECK(context.get() == first);
    cache.Put(std::move(context), epoch);
    Cache::ForgetAll();
    CHECK(cache.Take() == nullptr);
  }

  TEST_CASE("a context in use meanwhile is not kept, a later one is") {
    ContextCache<EvpMdCtxPointer> cache;
    const CacheEpoch before;
    EvpMdCtxPointer context(EVP_MD_CTX_new());
    Cache::ForgetAll();
    CHECK_FALSE(before.is_current());
    cache.Put(std::move(context), before);
    CHECK(cache.Take() == nullptr);
    const CacheEpoch after;
    cache.Put(EvpMdCtxPointer(EVP_MD_CTX_new()), after);
    CHECK(cache.Take() != nullptr);
  }

  TEST_CASE("caches come and go while all are emptied") {
    for (int i = 0; i < 3; ++i) {
      ContextCache<EvpMdCtxPointer> first;
      {
        ContextCache<EvpMdCtxPointer> second;
        second.Put(EvpMdCtxPointer(EVP_MD_CTX_new()), CacheEpoch());
        Cache::ForgetAll();
      }
      first.Put(EvpMdCtxPointer(EVP_MD_CTX_new()), CacheEpoch());
      Cache::ForgetAll();
      CHECK(first.Take() == nullptr);
    }
  }
}

}  // namespace openssl_async::testing
