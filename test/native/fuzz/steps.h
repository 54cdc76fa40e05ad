// The language of the connection target's inputs: a byte of ClientOption, a byte of ServerOption, then steps. A number
// has two bytes, the high one first.
#pragma once

#include <cstdint>

namespace openssl_async::fuzz {

enum class Step : uint8_t {
  // Both sides do all that they can, a few times.
  kExchange,

  // --- The client
  kClientAdvances,
  kClientWrites,  // a number of bytes
  kClientEnds,
  kClientRenews,  // a byte: whether the server shall do so too
  kClientReads,   // from the carrier: a number of bytes

  // --- Records on their way to the server. An index is a byte.
  kDeliver,
  kDeliverBytes,  // a number
  kDeliverRecord,
  kPrepend,    // as Deliver, by way of somebody else
  kDrop,       // an index
  kDuplicate,  // an index
  kSwap,       // two indices
  kFlip,       // an index, a number for the place, a byte of bits
  kTruncate,   // an index, a number for the size, a byte: whether the head tells the new size
  kSplit,      // an index, a number for the first one's size
  kInsert,     // an index, a byte for the size, the bytes

  // --- The carrier: sockets, or memory
  kTellCarried,  // of memory
  kHalfClose,
  kClose,
  kMeetAgain,  // both sides anew, with the session of the earlier ones

  // --- The server
  kRun,      // a byte: readable, writable
  kRunMore,  // a byte: turns
  kRunAll,
  kPause,
  kResume,
  kServerWrites,  // a number of bytes
  kServerEnds,
  kTimeOut,
  kAnswer,  // a byte of AnswerOption

  kCount,
};

}  // namespace openssl_async::fuzz
