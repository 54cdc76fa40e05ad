// Engines that copies of this package share. Most modules set up one engine only, so that a second copy cannot load
// what the first has loaded: it joins instead. Each holder has references of its own, and so OpenSSL finishes the
// engine, and then frees it, when the last holder has let go, whichever that is.
//
// Where OpenSSL has engines only. All functions: with Copies::EngineLock.
#pragma once

#include <string>
#include <vector>

#include "job/copies.h"

namespace openssl_async {

class SharedEngines {
 public:
  // The engine whose `source` this is, or, unless that is empty, whose id; null for none. It may be finished with the
  // lock.
  static SharedEngine* Find(const std::string& source, const std::string& id);
  // One more holder, who gets the references. False, without effect, when the engine does not initialise.
  static bool Join(SharedEngine* shared);
  // Of an engine that its only holder has initialised. Null when there is no memory: it is not shared then.
  static SharedEngine* Publish(engine_st* engine, const std::string& source,
                               const std::vector<unsigned char>& before_init);
  // A holder less, who has let go of its keys and keeps its references. `shared` may be gone then, and may be null.
  static void Leave(SharedEngine* shared);

  // A key that the engine gave to this copy. An engine may give the same one to another copy, and keep it.
  static void HoldKey(SharedEngine* shared, evp_pkey_st* key);
  // This copy does not use it any more. The last that does cuts it off from the engine, which a key keeps.
  static void LetKeyGo(SharedEngine* shared, evp_pkey_st* key);

  static void NoteDefault(SharedEngine* shared);
  // True when no other holder has made it the default.
  static bool ForgetDefault(SharedEngine* shared);
};

}  // namespace openssl_async
