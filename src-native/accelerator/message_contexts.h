// Contexts of the default provider that are initialised for signing or verifying messages with one key. To make and
// initialise one costs about as much as all else that the loop's thread does for a signature.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/cache.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

// What a context is initialised with, parameters aside. That it exists means that it has worked.
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
  std::atomic<size_t> signature_size{0};  // that a signature may have; 0 when nobody has asked yet
  std::vector<void*> idle;                // guarded by the key's lock
};

class MessageContexts final : private Cache {
 public:
  MessageContexts() = default;
  ~MessageContexts() { Unregister(); }
  MessageContexts(const MessageContexts&) = delete;
  MessageContexts& operator=(const MessageContexts&) = delete;

  // The setup, and an idle context of it or null. Null: it has not been known to work.
  MessageSetup* Find(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name, void** context);
  // Null when there are too many.
  MessageSetup* Add(const WrappedAlgorithm& algorithm, bool verifies, const char* digest_name);
  // An idle context, or null.
  void* Take(MessageSetup& setup);
  // The context is the list's, or freed. `taken`: before it was taken, or made.
  void Put(MessageSetup& setup, void* context, const CacheEpoch& taken);
  // For ever: nothing may be put back afterwards.
  void Clear();

 private:
  std::shared_ptr<void> TakeAll() override;

  static constexpr size_t kMostSetups = 8;
  static constexpr size_t kMostIdle = 256;

  // Nobody waits for it: what it guards is a convenience, and in a forked child it may stay locked for ever.
  std::mutex mutex_;
  std::deque<MessageSetup> setups_;  // never moved
};

}  // namespace openssl_async
