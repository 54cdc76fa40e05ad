// Where and how long handshakes may run.
#pragma once

#include <cstdint>

namespace openssl_async {

struct HandshakeTerms {
  uint64_t handshake_timeout_ms = 120'000;  // 0: no limit
  uint32_t threads = 0;                     // for handshakes; 0: they run on the event loop
  uint64_t max_inline_ns = 0;               // see InlineBudget
  bool lends = false;                       // open connections: records are read and written on threads, too
  bool holds_http2 = false;                 // connections of HTTP/2 begin paused: plaintext may go elsewhere
};

}  // namespace openssl_async
