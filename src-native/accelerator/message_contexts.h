// Contexts of the default provider, initialised for signing or verifying messages with one key. A new one costs about
// as much as everything else that the loop's thread does for a signature.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/cache.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

// The arguments of a context's initialisation, without parameters. A setup is added only when it has worked.
struct MessageSetup {
  MessageSetup(const WrappedAlgorithm& used_algorithm, bool is_verify, const char* digest_name)
      : algorithm(used_algorithm),
        verifies(is_verify),
        names_digest(digest_name != nullptr),
        digest(digest_name == nullptr ? "" : digest_name) {}

  const char* digest_name() const { return names_digest ? digest.c_str() : nullptr; }
  bool IsFor(const WrappedAlgorithm& other, bool is_verify, const char* digest_name) const {
    return &algorithm == &other && verifies == is_verify && names_digest == (digest_name != nullptr) &&
           (digest_name == nullptr || digest == digest_name);
  }

  const WrappedAlgorithm& algorithm;  // of the signature: one key serves several
  bool verifies;
  bool names_digest;
  std::string digest;
  std::atomic<size_t> signature_size{0};  // the most bytes of a signature; 0 when nobody has asked yet
  std::vector<void*> idle;                // guarded by the key's lock
};

class MessageContexts final : private Cache {
 public:
  MessageContexts() = default;
  ~MessageContexts() { Unregister(); }
  MessageContexts(const MessageContexts&) = delete;
  MessageContexts& operator=(const MessageContexts&) = delete;

  // Finds a setup, with an idle context of it or null. Null when it is not known to work.
  MessageSetup* Find(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name, void** context);
  // Null when there are too many.
  MessageSetup* Add(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name);
  // An idle context, or null.
  void* Take(MessageSetup& setup);
  // Keeps the context, or frees it. `taken` is the epoch from before it was taken or made.
  void Put(MessageSetup& setup, void* context, const CacheEpoch& taken);
  // Final: nothing may be put back afterwards.
  void Clear();

 private:
  std::shared_ptr<void> TakeAll() override;

  static constexpr size_t kMostSetups = 8;
  static constexpr size_t kMostIdle = 256;

  // Work with keys only tries to lock it: the cache is a convenience, and in a forked child the mutex may stay locked
  // for ever.
  std::mutex mutex_;
  std::deque<MessageSetup> setups_;  // never moved
};

}  // namespace openssl_async
