#define OPENSSL_SUPPRESS_DEPRECATED

#include "modules/shared_engines.h"

#include <openssl/evp.h>

#include <cstring>

#if __has_include(<openssl/engine.h>)
#include <openssl/engine.h>
#endif

#if !defined(OPENSSL_NO_ENGINE) && __has_include(<openssl/engine.h>)

namespace openssl_async {

namespace {

// Another copy may free the memory: all copies have the process's OpenSSL.
template <typename T>
T* Allocate() {
  void* memory = OPENSSL_zalloc(sizeof(T));
  if (memory == nullptr) return nullptr;
  auto* made = static_cast<T*>(memory);
  made->size = sizeof(T);
  return made;
}

SharedEngineKey** FindKey(SharedEngine* shared, const EVP_PKEY* key) {
  SharedEngineKey** link = &shared->keys;
  while (*link != nullptr && (*link)->key != key) link = &(*link)->next;
  return link;
}

void Free(SharedEngine* shared) {
  OPENSSL_free(const_cast<char*>(shared->source));
  OPENSSL_free(const_cast<unsigned char*>(shared->before_init));
  OPENSSL_free(shared);
}

}  // namespace

SharedEngine* SharedEngines::Find(const std::string& source, const std::string& id) {
  for (SharedEngine* shared = Copies::Registry().engines; shared != nullptr; shared = shared->next) {
    if (source == shared->source || (!id.empty() && id == ENGINE_get_id(shared->engine))) return shared;
  }
  return nullptr;
}

bool SharedEngines::Join(SharedEngine* shared) {
  if (ENGINE_up_ref(shared->engine) != 1) return false;
  if (ENGINE_init(shared->engine) != 1) {
    ENGINE_free(shared->engine);
    return false;
  }
  ++shared->users;
  return true;
}

SharedEngine* SharedEngines::Publish(ENGINE* engine, const std::string& source,
                                     const std::vector<unsigned char>& before_init) {
  auto* shared = Allocate<SharedEngine>();
  if (shared == nullptr) return nullptr;
  shared->source = OPENSSL_strdup(source.c_str());
  shared->before_init = static_cast<const unsigned char*>(OPENSSL_memdup(before_init.data(), before_init.size()));
  shared->before_init_size = shared->before_init == nullptr ? 0 : before_init.size();
  if (shared->source == nullptr) {
    Free(shared);
    return nullptr;
  }
  shared->engine = engine;
  shared->users = 1;
  SharedRegistry& registry = Copies::Registry();
  shared->next = registry.engines;
  registry.engines = shared;
  return shared;
}

void SharedEngines::Leave(SharedEngine* shared) {
  if (shared == nullptr || --shared->users > 0) return;
  SharedEngine** link = &Copies::Registry().engines;
  while (*link != shared) link = &(*link)->next;
  *link = shared->next;
  Free(shared);
}

void SharedEngines::HoldKey(SharedEngine* shared, EVP_PKEY* key) {
  if (shared == nullptr) return;
  SharedEngineKey** link = FindKey(shared, key);
  if (*link == nullptr) {
    *link = Allocate<SharedEngineKey>();
    if (*link == nullptr) return;
    (*link)->key = key;
  }
  ++(*link)->users;
}

void SharedEngines::LetKeyGo(SharedEngine* shared, EVP_PKEY* key) {
  if (shared != nullptr) {
    SharedEngineKey** link = FindKey(shared, key);
    SharedEngineKey* found = *link;
    if (found != nullptr && --found->users > 0) return;
    if (found != nullptr) {
      *link = found->next;
      OPENSSL_free(found);
    }
  }
  EVP_PKEY_set1_engine(key, nullptr);
}

void SharedEngines::NoteDefault(SharedEngine* shared) {
  if (shared != nullptr) ++shared->defaults;
}

bool SharedEngines::ForgetDefault(SharedEngine* shared) { return shared == nullptr || --shared->defaults == 0; }

}  // namespace openssl_async

#endif
