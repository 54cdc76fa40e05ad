// What an engine is told that asks for a PIN.
#pragma once

#include <openssl/ui.h>

#include <mutex>

#include "base/bytes.h"

namespace openssl_async {

// Nobody is ever asked: the answer is there, or there is none. Engines keep the address for as long as they live.
class PinAnswer {
 public:
  // Answers one question. An engine that asks again was not content, and wrong answers lock tokens.
  void Set(ByteView pin);
  void Clear();

  // Of the process; the user data that goes with it is a PinAnswer.
  static UI_METHOD* Method();

 private:
  static int Read(UI* ui, UI_STRING* string);
  int Answer(UI* ui, UI_STRING* string);

  std::mutex mutex_;
  SecretBytes pin_;
  bool is_there_ = false;
};

}  // namespace openssl_async
