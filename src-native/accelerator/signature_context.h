// A context of the accelerator for signatures.
//
// A context that was set up for a message with nothing but a key and a digest is like any other that was: it borrows
// one of the default provider's that the key keeps (MessageContexts), which is made, or initialised again, where it is
// first needed. That is on the pool's thread when the message comes in one piece, so that the loop's thread does
// nothing but hand over. Whatever makes a context special gives it one of its own.
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

  // Has inner() ready to use: for a new message, unless one was begun. Any thread; raises the error if it cannot.
  bool Prepare();
  void BeginMessage() { state_ = State::kInMessage; }
  void EndMessage() { state_ = State::kSpent; }
  // As Prepare(), for what makes this context differ from others of its key and digest.
  bool PrepareToChange();

  // Room for a signature of the message, with `ask` to find it out: int(size_t* size), which finds inner() ready.
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
    kInMessage,  // has some of it
    kSpent,      // has to be initialised first
  };

  bool MakeInner();
  void FreeInner();
  // Back to the key if it came from there.
  void LetInnerGo();
  int CallInitMessage(bool verifies, const char* digest_name, void* key, const OSSL_PARAM params[]);

  const WrappedAlgorithm& algorithm_;
  KeyReference key_;
  void* inner_ = nullptr;
  CacheEpoch inner_epoch_;         // when it was made, or taken
  MessageSetup* setup_ = nullptr;  // of key_; null: this context is special, and its state is inner_'s own
  State state_ = State::kFresh;
};

}  // namespace openssl_async
