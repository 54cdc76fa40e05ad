// Records on their way to the server, in which the fuzzer may do as it likes.
#pragma once

#include <deque>
#include <string>

#include "base/bytes.h"

namespace openssl_async::fuzz {

class Wire {
 public:
  // Whole records.
  void Append(const std::string& output);
  // Takes bytes off the front.
  std::string Take(size_t most);
  std::string TakeRecord();
  // Puts bytes back to the front.
  void PutBack(std::string bytes);
  bool empty() const { return records_.empty(); }
  // The server may see something else than the client has sent.
  bool tampered() const { return tampered_; }

  // Indices beyond the end begin again at the first record.
  void Drop(size_t index);
  void Duplicate(size_t index);
  void Swap(size_t one, size_t other);
  void Flip(size_t index, size_t offset, unsigned char bits);
  // Cuts bytes off the end, and may keep the record's head true.
  void Truncate(size_t index, size_t kept, bool corrects_length);
  // Makes two records of one.
  void Split(size_t index, size_t first_size);
  void Insert(size_t index, ByteView bytes);

 private:
  size_t At(size_t index) const { return index % records_.size(); }

  std::deque<std::string> records_;
  bool tampered_ = false;
};

}  // namespace openssl_async::fuzz
