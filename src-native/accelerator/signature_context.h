// A context of the accelerator for signatures.
//
// Contexts for messages with the same key and digest, and no parameters, are interchangeable; the key caches the
// default provider's (MessageContexts). A signature context takes a cached one, or makes or initialises one where it is
// first needed. When the message comes in one piece, that is on the pool's thread, and the loop's thread only hands
// over. A context with parameters has an inner context of its own.
#pragma once

#include "accelerator/operation_context.h"

namespace openssl_async {

class SignatureContext {
 public:
  explicit SignatureContext(const WrappedAlgorithm& algorithm) : algorithm_(algorithm) {}
  ~SignatureContext() { LetInnerGo(); }
  SignatureContext(const SignatureContext&) = delete;
  SignatureContext& operator=(const SignatureContext&) = delete;

  static SignatureContext* From(void* context) { return static_cast<SignatureContext*>(context); }

  // The default provider's function `id`; null when it has none.
  template <typename Function>
  Function* Get(int id) const {
    return algorithm_.Get<Function>(id);
  }
  void* inner() const { return inner_; }
  RunTime* run_time(KeyUse use) const { return key_.run_time(use); }

  // Sets up for something other than messages, with the function `id`.
  int Init(int id, ProviderKey* key, const OSSL_PARAM params[]);
  int InitMessage(bool verifies, const char* digest_name, ProviderKey* key, const OSSL_PARAM params[]);

  // Makes inner() ready: for a new message, unless one was begun. Any thread; raises the error if it cannot.
  bool Prepare();
  void BeginMessage() { state_ = State::kInMessage; }
  void EndMessage() { state_ = State::kSpent; }
  // As Prepare(), before a change that makes this context differ from others with its key and digest.
  bool PrepareToChange();

  // The most bytes of a signature. `ask`, an int(size_t* size), finds them out when they are unknown; inner() is ready
  // then.
  template <typename Ask>
  int SignatureSize(size_t* size, Ask&& ask) {
    if (setup_ != nullptr && (*size = setup_->signature_size.load(std::memory_order_relaxed)) != 0) return 1;
    if (!Prepare()) return 0;
    const int result = ask(size);
    if (result > 0 && setup_ != nullptr) setup_->signature_size.store(*size, std::memory_order_relaxed);
    return result;
  }

  SignatureContext* Duplicate();

 private:
  enum class State {
    kFresh,      // inner_ waits for its message
    kInMessage,  // inner_ has a part of its message
    kSpent,      // inner_ has to be initialised first
  };

  bool MakeInner();
  void FreeInner();
  // Gives inner_ back to the key that it came from, or frees it.
  void LetInnerGo();
  int CallInitMessage(bool verifies, const char* digest_name, void* key, const OSSL_PARAM params[]);

  const WrappedAlgorithm& algorithm_;
  KeyReference key_;
  void* inner_ = nullptr;
  CacheEpoch inner_epoch_;         // when it was made, or taken
  MessageSetup* setup_ = nullptr;  // of key_; null: inner_ is this context's own, with its state
  State state_ = State::kFresh;
};

}  // namespace openssl_async
