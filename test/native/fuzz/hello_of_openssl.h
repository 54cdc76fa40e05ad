// How OpenSSL's own server reads a client hello.
#pragma once

#include <string>

#include "base/bytes.h"

namespace openssl_async::fuzz {

struct HelloOfOpenssl {
  bool accepted = false;  // as far as the name, at least
  std::string server_name;
  std::string protocols;  // empty where OpenSSL did not come to them
};

HelloOfOpenssl ReadByOpenssl(ByteView bytes);

}  // namespace openssl_async::fuzz
