// How JavaScript is told of an operation's end: eight 32-bit words, and the bytes of the result in an array beside
// them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
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
    for (size_t i = 0; i < Operation::kMaxOutputs; ++i) bytes += call.operation().output(i).size();
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

constexpr size_t kOperationEventWords = 8;
// Kinds that follow those of JobEvent; see contract.ts.
constexpr int32_t kOperationDone = 8;
constexpr int32_t kOperationFailed = 9;  // the error is to be fetched
constexpr int32_t kOperationLarge = 10;  // done; the bytes are to be fetched

// [id, kind | place << 8 | pauses << 16, value, offset, length of each output, µs in the queue, µs of run].
// False when the rest is to be fetched, with the call.
inline bool WriteOperationEvent(OperationCall& call, int32_t* words, OutputArena& arena) {
  Operation& operation = call.operation();
  const bool is_large = OutputArena::BytesOf(call) > OutputArena::kMostBytes;
  const int32_t kind = !operation.ok() ? kOperationFailed : is_large ? kOperationLarge : kOperationDone;
  constexpr uint32_t kMostPauses = 0x7fff;
  constexpr uint64_t kMicro = 1000;
  words[0] = static_cast<int32_t>(call.id());
  words[1] =
      kind | static_cast<int32_t>(call.place()) << 8 | static_cast<int32_t>(std::min(call.pauses(), kMostPauses)) << 16;
  words[2] = operation.value();
  words[3] = words[4] = words[5] = 0;
  if (kind == kOperationDone && !call.abandoned()) {
    words[3] = static_cast<int32_t>(arena.Put(operation.output(0).view()));
    words[4] = static_cast<int32_t>(operation.output(0).size());
    static_cast<void>(arena.Put(operation.output(1).view()));
    words[5] = static_cast<int32_t>(operation.output(1).size());
  }
  const bool has_run = operation.ended_ns() != 0;
  words[6] = has_run ? static_cast<int32_t>(call.queue_ns() / kMicro) : 0;
  words[7] = has_run ? static_cast<int32_t>(call.run_ns() / kMicro) : 0;
  return kind == kOperationDone;
}

}  // namespace openssl_async
