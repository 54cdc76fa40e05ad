// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// Events of TLS connections.
enum class TlsEventKind : int32_t {
  // The client hello was read; `helloOf()` has it, and `answer()` goes on.
  kAsking = 0,
  // The handshake is done; 1 as `value`: early data comes before that, and the event `completed`.
  kSecure = 1,
  // The connection is of no use any more. `value` is libuv's code, or a number of TlsFailure.
  kFailed = 2,
  // Plaintext, `size` bytes from `offset` on.
  kData = 3,
  // The peer sends no more. `value` is 1 when it did not say so.
  kEnd = 4,
  // All that was written has left.
  kDrained = 5,
  // A line of the key log, at `offset`.
  kKeyLog = 6,
  // A listener closed a connection, being full. `value` numbers its addresses.
  kDropped = 7,
  // No handshake of a closed listener is under way any more; `id` is the listener's.
  kListenerIdle = 8,
  // A client has connected; `proceed()` goes on.
  kAccepted = 9,
  // Ciphertext waits for its stream; `takeOutput()` gives it.
  kOutput = 10,
  // Ciphertext of the stream that `feed()` has refused is taken now.
  kInputWanted = 11,
  // Sessions are to be kept. Of a server, before TLS 1.3: `sessionsKept()` goes on.
  kNewSessions = 12,
  // Before TLS 1.3, the client has named a shared key; `giveKey()` goes on.
  kAskingKey = 13,
  // The server was asked about its certificate; `status()` has the answer.
  kStatus = 14,
  // A later handshake is done: see `renegotiate()`. `value` is 1 where none has begun; `failure()` says why.
  kRenegotiated = 15,
  // The handshake is done, behind early data.
  kCompleted = 16,
  // A client has begun a later handshake, which goes on after this event.
  kRenegotiating = 17,
};

// Where a handshake runs.
enum class TlsPlace : int32_t {
  // On the event loop.
  kLoop = 0,
  // On a thread of its own.
  kThread = 1,
};

// Reasons of a connection's failure that are not libuv's.
enum class TlsFailure : int32_t {
  // `failureOf()` has OpenSSL's errors.
  kOpenssl = 0,
  // The handshake took too long.
  kHandshakeTimeout = 1,
  // The peer left during the handshake.
  kHandshakeEnded = 2,
  // The hint for clients that share a key is too long.
  kKeyHint = 3,
};

// The words of an event of a TLS connection.
struct TlsEventWord {
  enum : size_t {
    kKind = 0,
    kId = 1,
    kListener = 2,
    kValue = 3,
    kOffset = 4,
    kSize = 5,
  };
};
constexpr size_t kWordsPerTlsEvent = 6;

// Settings of a server that are true or false.
enum class TlsServerFlag : uint32_t {
  kRequestsCertificate = 0x1,
  kAsks = 0x2,
  kLogsKeys = 0x4,
  kRejectsUnauthorized = 0x8,
  kTellsConnections = 0x10,
  kTellsSessions = 0x20,
  kFindsSessions = 0x40,
  kGivesStatus = 0x80,
  kSharesKeys = 0x100,
  kHoldsHttp2 = 0x200,
  kLends = 0x400,
  kTraces = 0x800,
  kAllowsRenegotiation = 0x1000,
};

// What a client wants of a connection.
enum class TlsClientFlag : uint32_t {
  kLogsKeys = 0x1,
  kRequestsStatus = 0x2,
  kAuthenticatesLater = 0x4,
  kHoldsHttp2 = 0x8,
  kTraces = 0x10,
  kMustTrust = 0x20,
};

}  // namespace openssl_async
