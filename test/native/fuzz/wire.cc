#include "wire.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace openssl_async::fuzz {

namespace {

constexpr size_t kHead = 5;

size_t ContentSize(const std::string& bytes, size_t at) {
  return static_cast<size_t>(static_cast<uint8_t>(bytes[at + 3])) << 8 | static_cast<uint8_t>(bytes[at + 4]);
}

void SetContentSize(std::string& record) {
  const size_t size = record.size() - kHead;
  record[3] = static_cast<char>(size >> 8);
  record[4] = static_cast<char>(size);
}

}  // namespace

void Wire::Append(const std::string& output) {
  for (size_t at = 0; at < output.size();) {
    const size_t left = output.size() - at;
    const size_t size = left < kHead ? left : std::min(left, kHead + ContentSize(output, at));
    records_.push_back(output.substr(at, size));
    at += size;
  }
}

std::string Wire::Take(size_t most) {
  std::string taken;
  while (!records_.empty() && taken.size() < most) {
    std::string record = TakeRecord();
    const size_t size = std::min(record.size(), most - taken.size());
    taken.append(record, 0, size);
    if (size < record.size()) records_.push_front(record.substr(size));
  }
  return taken;
}

std::string Wire::TakeRecord() {
  if (records_.empty()) return {};
  std::string record = std::move(records_.front());
  records_.pop_front();
  return record;
}

void Wire::PutBack(std::string bytes) {
  if (!bytes.empty()) records_.push_front(std::move(bytes));
}

void Wire::Drop(size_t index) {
  if (records_.empty()) return;
  tampered_ = true;
  records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(At(index)));
}

void Wire::Duplicate(size_t index) {
  constexpr size_t kMost = 256;
  if (records_.empty() || records_.size() > kMost) return;
  tampered_ = true;
  const std::string copy = records_[At(index)];
  records_.insert(records_.begin() + static_cast<std::ptrdiff_t>(At(index)), copy);
}

void Wire::Swap(size_t one, size_t other) {
  if (records_.empty() || At(one) == At(other)) return;
  tampered_ = true;
  std::swap(records_[At(one)], records_[At(other)]);
}

void Wire::Flip(size_t index, size_t offset, unsigned char bits) {
  if (records_.empty() || bits == 0) return;
  tampered_ = true;
  std::string& record = records_[At(index)];
  char& byte = record[offset % record.size()];
  byte = static_cast<char>(byte ^ bits);
}

void Wire::Truncate(size_t index, size_t kept, bool corrects_length) {
  if (records_.empty()) return;
  std::string& record = records_[At(index)];
  if (record.size() < kHead + 2) return;
  tampered_ = true;
  record.resize(kHead + 1 + kept % (record.size() - kHead - 1));
  if (corrects_length) SetContentSize(record);
}

void Wire::Split(size_t index, size_t first_size) {
  if (records_.empty()) return;
  std::string& record = records_[At(index)];
  if (record.size() < kHead + 2) return;
  tampered_ = true;
  const size_t first = kHead + 1 + first_size % (record.size() - kHead - 1);
  std::string second = record.substr(0, kHead) + record.substr(first);
  record.resize(first);
  SetContentSize(record);
  SetContentSize(second);
  records_.insert(records_.begin() + static_cast<std::ptrdiff_t>(At(index) + 1), std::move(second));
}

void Wire::Insert(size_t index, ByteView bytes) {
  if (bytes.size == 0) return;
  tampered_ = true;
  const size_t at = index % (records_.size() + 1);
  records_.emplace(records_.begin() + static_cast<std::ptrdiff_t>(at), reinterpret_cast<const char*>(bytes.data),
                   bytes.size);
}

}  // namespace openssl_async::fuzz
