// What the event loop and a thread tell each other of connections whose records the thread reads and writes: many
// messages, and their bytes in one piece.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/contract.h"

namespace openssl_async {

// A message of a connection; the loop's name for it is `id`.
struct RecordEvent {  // to the loop
  uint32_t id;
  TlsEventKind kind;  // of those of an open connection
  int32_t value;
  size_t size;  // of its bytes
};

struct RecordRequest {  // to the thread
  enum class Kind : uint8_t {
    // Bytes to send.
    kWrite,
    // As kWrite; TlsEventKind::kDrained follows when little is left.
    kWriteAndTell,
    // Nothing follows; TlsEventKind::kDrained does when everything has left.
    kEnd,
    kPause,
    kResume,
    // See Connection::RenegotiateAndTell(): without a request for the client's certificate, with one, and where clients
    // have to have a certificate.
    kRenegotiate,
    kRequestCertificate,
    kDemandCertificate,
    // So many bytes of plaintext have been read; no bytes come with it.
    kRead,
  };

  uint32_t id;
  Kind kind;
  size_t size;
};

template <typename Message>
struct RecordBatch {
  std::vector<Message> messages;
  std::string bytes;  // of the messages, in their order
};

}  // namespace openssl_async
