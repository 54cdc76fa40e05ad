// Engines that copies of this package share. Most modules set up one engine only, so a second copy cannot load the
// first copy's module: it joins instead. Each copy has references of its own, so OpenSSL finishes and frees the engine
// when the last copy has left.
//
// Only where OpenSSL has engines. All functions are called with Copies::EngineLock.
#pragma once

#include <string>
#include <vector>

#include "job/copies.h"

namespace openssl_async {

class SharedEngines {
 public:
  // The engine with this `source`, or with this `id` unless that is empty; null for none. It may be finished once the
  // lock is released.
  static SharedEngine* Find(const std::string& source, const std::string& id);
  // Adds a copy, which gets the references. False, without effect, when the engine does not initialise.
  static bool Join(SharedEngine* shared);
  // Shares an engine that this copy has initialised. Null when there is no memory: the engine is not shared then.
  static SharedEngine* Publish(engine_st* engine, const std::string& source,
                               const std::vector<unsigned char>& before_init);
  // Removes this copy, which has let go of its keys and keeps its references. `shared` may be null, and may be freed
  // here.
  static void Leave(SharedEngine* shared);

  // Notes a key that the engine gave to this copy. The engine may give the same key to another copy, and keep it.
  static void HoldKey(SharedEngine* shared, evp_pkey_st* key);
  // Notes that this copy uses the key no more. The last copy cuts the key off from the engine, which it would keep.
  static void LetKeyGo(SharedEngine* shared, evp_pkey_st* key);

  static void NoteDefault(SharedEngine* shared);
  // True when no other copy has made the engine the default.
  static bool ForgetDefault(SharedEngine* shared);
};

}  // namespace openssl_async
