#include "job/copies.h"

#include <openssl/objects.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "job/self_module.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

constexpr char kName[] = "openssl-async registry";
constexpr int kType = 0x4f41;  // a type of names; OpenSSL's own are small numbers

// Never destroyed: other copies may lock them as late as in their last exit handler.
template <typename Mutex>
Mutex& Never() {
  static auto* mutex = new Mutex();
  return *mutex;
}

SharedThread* ThisThread() {
  static thread_local SharedThread thread = {sizeof(SharedThread), nullptr, 0, 0, 0};
  return &thread;
}

void Lock() { Never<std::mutex>().lock(); }
void Unlock() { Never<std::mutex>().unlock(); }
void LockEngines() { Never<std::recursive_mutex>().lock(); }
void UnlockEngines() { Never<std::recursive_mutex>().unlock(); }

SharedRegistry own_registry = {
    Copies::kMagic, Copies::kVersion, Copies::kVersion, sizeof(SharedRegistry), &Lock,          &Unlock,
    nullptr,        nullptr,          &ThisThread,      &LockEngines,           &UnlockEngines, nullptr,
};
SharedCopy own_copy = {sizeof(SharedCopy), nullptr, ""};

struct Membership {
  SharedRegistry* registry;
  bool unknown;
};

// A runtime without async jobs may lack these functions too.
SharedRegistry* FindOrPublish() {
  if (!HasSymbol("OBJ_NAME_get") || !HasSymbol("OBJ_NAME_add")) return &own_registry;
  const char* found = OBJ_NAME_get(kName, kType);
  if (found != nullptr) return reinterpret_cast<SharedRegistry*>(const_cast<char*>(found));
  OBJ_NAME_add(kName, kType, reinterpret_cast<const char*>(&own_registry));
  return &own_registry;
}

Membership Join() noexcept {
  PinThisModule();
  if (const char* path = strdup(PathOfThisModule().c_str()); path != nullptr) own_copy.path = path;  // for ever
  SharedRegistry* usable = Copies::Usable(FindOrPublish());
  SharedRegistry& registry = usable == nullptr ? own_registry : *usable;
  registry.lock();
  own_copy.next = registry.copies;
  registry.copies = &own_copy;
  registry.unlock();
  return {&registry, usable == nullptr};
}

Membership& Joined() {
  static Membership membership = Join();
  return membership;
}

// While the addon is being loaded: see the header.
[[maybe_unused]] const bool kJoinedEarly = Joined().unknown;

}  // namespace

SharedRegistry& Copies::Registry() { return *Joined().registry; }

SharedCopy& Copies::Own() { return own_copy; }

bool Copies::unknown() { return Joined().unknown; }

SharedRegistry* Copies::Usable(SharedRegistry* found) {
  const bool usable = found->magic == kMagic && found->version >= 1 && found->compatible <= kVersion;
  return usable ? found : nullptr;
}

std::vector<std::string> Copies::Paths() {
  std::vector<std::string> paths = {own_copy.path};
  SharedRegistry& registry = Registry();
  registry.lock();
  for (const SharedCopy* copy = registry.copies; copy != nullptr; copy = copy->next) {
    if (copy != &own_copy) paths.emplace_back(copy->path);
  }
  registry.unlock();
  return paths;
}

std::vector<std::string> Copies::Strangers() {
  const std::vector<std::string> known = Paths();
  std::vector<std::string> strangers;
  for (std::string& path : LoadedModules()) {
    const std::string file = path.substr(path.find_last_of("/\\") + 1);
    const bool is_copy =
        file.rfind("openssl_async.", 0) == 0 && file.size() > 5 && file.substr(file.size() - 5) == ".node";
    if (is_copy && std::find(known.begin(), known.end(), path) == known.end()) strangers.push_back(std::move(path));
  }
  return strangers;
}

}  // namespace openssl_async
