// The copies of this package in the process. Two dependencies that want different versions load two addons. Each addon
// has static state of its own, but libcrypto's job pools, stack functions and engines belong to the process. A registry
// that all copies find keeps the state about them.
//
// libcrypto keeps the registry as data of a name: OBJ_NAME_add(3). This function is public since OpenSSL 1.0 on every
// platform, has one table for each libcrypto rather than each process (as is needed), and needs no exported symbol,
// which the dynamic linker would not show to other addons anyway. OSSL_LIB_CTX and CRYPTO_EX_DATA have indices but no
// names to find them by; engines end with OpenSSL 4; a named provider would disturb the default context's fallback.
//
// OBJ_NAME_add() replaces an earlier entry. A copy therefore joins while it is being loaded, when Node and the dynamic
// linker admit one thread at a time.
//
// This is an interface between versions: nothing here is removed, moved or given another meaning. Fields are appended;
// `size` tells which of them the maker of a struct knew. A change that older copies cannot live with raises
// `compatible`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct engine_st;
struct evp_pkey_st;

namespace openssl_async {

extern "C" {

// A copy of the package. It stays for ever, as its code does.
struct SharedCopy {
  size_t size;
  SharedCopy* next;
  const char* path;  // of its addon; UTF-8
};

// One copy's jobs of a thread. Only the thread itself reads or writes them, as all of SharedThread.
struct SharedThreadPart {
  size_t size;
  SharedThreadPart* next;
  const SharedCopy* copy;
  uint64_t live;  // started, not ended
};

// State that OpenSSL has once for each thread.
struct SharedThread {
  size_t size;
  SharedThreadPart* parts;
  uint64_t max_size;  // of the pool; 0 for no limit
  uint32_t pool_exists;
  uint32_t unproven_ends;  // jobs that ended since a pause last proved that nothing is blocked
};

struct SharedStackStats {
  size_t size;
  uint64_t stack_size_bytes;
  uint64_t guarded;
  uint64_t unguarded;
};

// The stacks of the copy that has installed its stack functions.
struct SharedStacks {
  size_t size;
  void (*get_stats)(SharedStackStats* stats);
  uint64_t (*high_water_bytes)();
};

// A key that an engine gave to copies.
struct SharedEngineKey {
  size_t size;
  SharedEngineKey* next;
  evp_pkey_st* key;
  uint64_t users;
};

// An engine that copies have loaded. Made by the first with OPENSSL_malloc(3), freed by the last.
struct SharedEngine {
  size_t size;
  SharedEngine* next;
  engine_st* engine;  // each user has structural and functional references of its own
  const char* source;
  const unsigned char* before_init;  // a digest of the commands before the initialisation
  uint64_t before_init_size;
  uint64_t users;
  uint64_t defaults;  // users that have made it the process's default
  SharedEngineKey* keys;
};

struct SharedRegistry {
  uint64_t magic;
  uint32_t version;
  uint32_t compatible;  // the oldest version whose copies can use it
  size_t size;
  // For `copies` and `stacks`; held briefly.
  void (*lock)();
  void (*unlock)();
  SharedCopy* copies;
  const SharedStacks* stacks;
  // The calling thread's.
  SharedThread* (*thread)();
  // For `engines`, and while one is loaded, initialised or finished. Recursive.
  void (*lock_engines)();
  void (*unlock_engines)();
  SharedEngine* engines;
};

}  // extern "C"

class Copies {
 public:
  static constexpr uint64_t kMagic = 0x31636e7973616c73;
  static constexpr uint32_t kVersion = 1;

  // The registry of all copies, or this copy's own where none can be shared: see unknown().
  static SharedRegistry& Registry();
  static SharedCopy& Own();
  // True when a newer copy has made a registry that this copy cannot read. Nothing is then known about other copies, so
  // nothing may be done that could harm them.
  static bool unknown();
  // The registry for a copy that found `found`: `found` itself, or null when this copy cannot read it.
  static SharedRegistry* Usable(SharedRegistry* found);

  // Paths of all copies' addons, this copy's first.
  static std::vector<std::string> Paths();
  // Loaded copies that are not in the registry, found by their file names: they are older than the registry, or so much
  // newer that they use another.
  static std::vector<std::string> Strangers();

  // While it lives, no other copy loads or finishes an engine.
  class EngineLock {
   public:
    EngineLock() { Registry().lock_engines(); }
    ~EngineLock() { Registry().unlock_engines(); }
    EngineLock(const EngineLock&) = delete;
    EngineLock& operator=(const EngineLock&) = delete;
  };
};

}  // namespace openssl_async
