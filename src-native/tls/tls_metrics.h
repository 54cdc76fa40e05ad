// The work of an environment's TLS connections so far. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scheduler/histogram.h"
#include "tls/contract.h"

namespace openssl_async {

struct HandshakeMetrics {
  static constexpr size_t kPlaces = 2;

  // From the begin on; of handshakes that are done, by TlsPlace.
  Histogram handshakes[kPlaces];
  uint64_t resumed = 0;  // of these
  uint64_t early_accepted = 0;
  uint64_t early_refused = 0;
};

struct TlsMetrics : HandshakeMetrics {  // of servers, and of all connections
  HandshakeMetrics clients;
  uint64_t failed = 0;   // connections, at any time
  uint64_t dropped = 0;  // by full listeners
  uint64_t moved = 0;    // from a thread to the event loop
  uint64_t questions = 0;
  uint64_t pauses = 0;     // of handshakes' jobs
  uint64_t abandoned = 0;  // connections that were given up in a job, which goes on to its end
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
};

}  // namespace openssl_async
