// Plaintext in pieces, read record by record: short pieces share records, long ones are not copied.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/bytes.h"

namespace openssl_async {

// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): only bytes that were joined are read.
class PlaintextPieces {
 public:
  static constexpr size_t kRecordBytes = 16 * 1024;

  // The pieces outlive this.
  PlaintextPieces(const ByteView* pieces, size_t count) : piece_(pieces), end_(pieces + count) {
    for (const ByteView* piece = pieces; piece < end_; ++piece) rest_ += piece->size;
    SkipEmpty();
  }

  // How many bytes are left.
  size_t rest() const { return rest_; }

  // The next bytes, at most `most`; valid until the next call. Whole records of one piece, or one record of several
  // pieces. Call it while there is a rest.
  ByteView Next(size_t most) {
    const ByteView first = {piece_->data + offset_, piece_->size - offset_};
    if (first.size >= std::min(most, rest_)) return {first.data, std::min(first.size, most)};
    if (first.size >= kRecordBytes) return {first.data, first.size / kRecordBytes * kRecordBytes};
    most = std::min(most, kRecordBytes);
    size_t size = 0;
    size_t from = offset_;
    for (const ByteView* piece = piece_; piece < end_ && size < most; ++piece, from = 0) {
      const size_t count = std::min(piece->size - from, most - size);
      if (count > 0) memcpy(record_ + size, piece->data + from, count);
      size += count;
    }
    return {record_, size};
  }

  // Goes on after so many bytes.
  void Skip(size_t count) {
    rest_ -= count;
    while (count > 0) {
      const size_t skipped = std::min(count, piece_->size - offset_);
      offset_ += skipped;
      count -= skipped;
      SkipEmpty();
    }
  }

 private:
  void SkipEmpty() {
    for (; piece_ < end_ && offset_ == piece_->size; offset_ = 0) ++piece_;
  }

  const ByteView* piece_;  // that comes next, and is not empty
  const ByteView* const end_;
  size_t offset_ = 0;  // in that piece
  size_t rest_ = 0;
  unsigned char record_[kRecordBytes];
};
// NOLINTEND(cppcoreguidelines-pro-type-member-init)

}  // namespace openssl_async
