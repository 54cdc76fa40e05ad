#define OPENSSL_SUPPRESS_DEPRECATED

#include "modules/engine_remains.h"

#include <openssl/opensslconf.h>

#include <map>
#include <mutex>

#if !defined(OPENSSL_NO_ENGINE) && __has_include(<openssl/engine.h>)

#include <openssl/engine.h>

namespace openssl_async {

namespace {

struct Known {
  std::string path;
  ENGINE_GEN_INT_FUNC_PTR destroy = nullptr;  // the engine's own; may be null
};

struct KnownEngines {
  std::mutex mutex;
  std::map<ENGINE*, Known> engines;
};

KnownEngines& All() {
  static auto* known = new KnownEngines();  // never destroyed: engines may be freed when the process ends
  return *known;
}

// Called when no reference is left. OpenSSL may hold its own lock.
int OnDestroy(ENGINE* engine) {
  ENGINE_GEN_INT_FUNC_PTR destroy = nullptr;
  {
    const std::lock_guard<std::mutex> lock(All().mutex);
    const auto found = All().engines.find(engine);
    if (found == All().engines.end()) return 1;
    destroy = found->second.destroy;
    All().engines.erase(found);
  }
  return destroy == nullptr ? 1 : destroy(engine);
}

}  // namespace

void NoteLoaded(engine_st* engine, const std::string& path) {
  const std::lock_guard<std::mutex> lock(All().mutex);
  All().engines[engine] = {path, ENGINE_get_destroy_function(engine)};
  ENGINE_set_destroy_function(engine, &OnDestroy);
}

engine_st* TakeRemaining(const std::string& path, const std::string& id) {
  const std::lock_guard<std::mutex> lock(All().mutex);
  for (const auto& [engine, known] : All().engines) {
    if (known.path != path || (!id.empty() && id != ENGINE_get_id(engine))) continue;
    return ENGINE_up_ref(engine) == 1 ? engine : nullptr;
  }
  return nullptr;
}

}  // namespace openssl_async

#endif
