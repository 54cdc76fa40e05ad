// The copies of this package in the process. Two dependencies that want different versions load two addons, each with
// static state of its own, over one libcrypto: its pools of jobs, its stack functions and its engines are the
// process's. What is about those is kept in a registry that all copies find.
//
// libcrypto has the registry, as data of a name: OBJ_NAME_add(3). That is public since OpenSSL 1.0, on every platform,
// one for each libcrypto rather than for each process (as it has to be), and needs no exported symbol, which the
// dynamic linker would not show to other addons anyway. OSSL_LIB_CTX and CRYPTO_EX_DATA have slots with numbers but no
// names to find them by; an engine with a name ends with OpenSSL 4; a provider with a name would disturb the default
// context's fallback.
//
// OBJ_NAME_add() replaces what is there. A copy therefore joins while it is being loaded, where Node and the dynamic
// linker let one thread in at a time.
//
// This is an interface between versions: nothing here is removed, moved or given another meaning. Fields are appended;
// `size` says which ones the maker of a struct knew. A change that older copies cannot live with raises `compatible`.
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

// A thread's jobs that a copy has started. Only the thread itself reads and writes it, as all of SharedThread.
struct SharedThreadPart {
  size_t size;
  SharedThreadPart* next;
  const SharedCopy* copy;
  uint64_t live;  // started, not ended
};

// What OpenSSL has once for each thread.
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

// Of the copy that has installed its stack functions.
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
  uint64_t holders;
};

// An engine that copies have loaded. Made by the first with OPENSSL_malloc(3), freed by the last.
struct SharedEngine {
  size_t size;
  SharedEngine* next;
  engine_st* engine;  // each holder has structural and functional references of its own
  const char* source;
  const unsigned char* before_init;  // a digest of the commands before the initialisation
  uint64_t before_init_size;
  uint64_t holders;
  uint64_t defaults;  // holders that have made it the process's default
  SharedEngineKey* keys;
};

struct SharedRegistry {
  uint64_t magic;
  uint32_t version;
  uint32_t compatible;  // the oldest version whose copies can use it
  size_t size;
  // For `copies` and `stacks`; held shortly.
  void (*lock)();
  void (*unlock)();
  SharedCopy* copies;
  const SharedStacks* stacks;
  // This thread's.
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

  // All copies', or this copy's alone where none can be shared: see unknown().
  static SharedRegistry& Registry();
  static SharedCopy& Own();
  // Another copy has made a registry that this one cannot read: it is newer. Nothing is known about others then, so
  // that what could harm them must not be done.
  static bool unknown();
  // Of which of two registries a copy has to use that found `found`; null when `found` is of no use to it.
  static SharedRegistry* Usable(SharedRegistry* found);

  // Paths of all copies' addons, that of this one first.
  static std::vector<std::string> Paths();
  // Copies that are loaded and cannot be asked, by the names of their files: they are older than the registry, or so
  // much newer that they have another.
  static std::vector<std::string> Strangers();

  // For the time of its life no other copy loads or finishes an engine.
  class EngineLock {
   public:
    EngineLock() { Registry().lock_engines(); }
    ~EngineLock() { Registry().unlock_engines(); }
    EngineLock(const EngineLock&) = delete;
    EngineLock& operator=(const EngineLock&) = delete;
  };
};

}  // namespace openssl_async
