// How JavaScript is told of an operation's end: eight 32-bit words, and the bytes of the result in an array beside
// them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "binding/contract.h"
#include "placement/operation_runner.h"

namespace openssl_async {

// Where results are put, one behind the other. What was read is wiped.
class OutputArena {
 public:
  OutputArena(unsigned char* data, size_t size) : data_(data), size_(size) {}

  // Larger results are fetched one by one, without a copy.
  static constexpr size_t kMostBytes = 16 * 1024;

  static size_t BytesOf(OperationCall& call) {
    if (!call.operation().ok() || call.abandoned()) return 0;
    size_t bytes = 0;
    for (size_t i = 0; i < kMaxOutputs; ++i) bytes += call.operation().output(i).size();
    return bytes;
  }
  bool HasRoomFor(OperationCall& call) const {
    const size_t bytes = BytesOf(call);
    return bytes > kMostBytes || bytes <= size_ - used_;
  }
  size_t Put(ByteView bytes) {
    const size_t offset = used_;
    if (bytes.size > 0) memcpy(data_ + offset, bytes.data, bytes.size);
    used_ += bytes.size;
    return offset;
  }
  void Wipe() {
    openssl_async::Wipe(data_, used_);
    used_ = 0;
  }

 private:
  unsigned char* data_;
  size_t size_;
  size_t used_ = 0;
};

// Fills the words of an OperationWord. False when the rest is to be fetched, with the call.
inline bool WriteOperationEvent(OperationCall& call, int32_t* words, OutputArena& arena) {
  Operation& operation = call.operation();
  const bool is_large = OutputArena::BytesOf(call) > OutputArena::kMostBytes;
  const EventKind kind = !operation.ok() ? EventKind::kOperationFailed
                         : is_large      ? EventKind::kOperationLarge
                                         : EventKind::kOperationDone;
  constexpr uint32_t kMostPauses = 0x7fff;
  constexpr uint64_t kMicro = 1000;
  words[OperationWord::kId] = static_cast<int32_t>(call.id());
  words[OperationWord::kKind] = static_cast<int32_t>(kind) | static_cast<int32_t>(call.place()) << kPlaceShift |
                                static_cast<int32_t>(std::min(call.pauses(), kMostPauses)) << kPausesShift;
  words[OperationWord::kValue] = operation.value();
  words[OperationWord::kOffset] = words[OperationWord::kFirstSize] = words[OperationWord::kSecondSize] = 0;
  if (kind == EventKind::kOperationDone && !call.abandoned()) {
    words[OperationWord::kOffset] = static_cast<int32_t>(arena.Put(operation.output(0).view()));
    words[OperationWord::kFirstSize] = static_cast<int32_t>(operation.output(0).size());
    static_cast<void>(arena.Put(operation.output(1).view()));
    words[OperationWord::kSecondSize] = static_cast<int32_t>(operation.output(1).size());
  }
  const bool has_run = operation.ended_ns() != 0;
  words[OperationWord::kQueueMicros] = has_run ? static_cast<int32_t>(call.queue_ns() / kMicro) : 0;
  words[OperationWord::kRunMicros] = has_run ? static_cast<int32_t>(call.run_ns() / kMicro) : 0;
  return kind == EventKind::kOperationDone;
}

}  // namespace openssl_async
