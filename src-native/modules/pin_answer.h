// The answer to an engine that asks for a PIN.
#pragma once

#include <openssl/ui.h>

#include <mutex>

#include "base/bytes.h"

namespace openssl_async {

// Nobody is ever asked: the answer is there, or there is none. An engine keeps the address for as long as it lives.
class PinAnswer {
 public:
  // Sets the answer to one question. An engine that asks again has rejected the PIN, and wrong PINs lock tokens.
  void Set(ByteView pin);
  void Clear();

  // One for the process; its user data is a PinAnswer.
  static UI_METHOD* Method();

 private:
  static int Read(UI* ui, UI_STRING* string);
  int Answer(UI* ui, UI_STRING* string);

  std::mutex mutex_;
  SecretBytes pin_;
  bool is_there_ = false;
};

}  // namespace openssl_async
