// A key that a client and a server have.
#pragma once

#include <string>

#include "base/secret_text.h"

namespace openssl_async {

struct SharedKey {
  std::string identity;  // empty for no key
  SecretText bytes;
};

}  // namespace openssl_async
