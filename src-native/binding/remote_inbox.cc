#include "binding/remote_inbox.h"

#include <cstring>
#include <utility>

#include "binding/contract.h"

namespace openssl_async {

namespace {

size_t BytesOf(const RemoteQuestion& question) { return question.bytes.size + question.label.size; }

}  // namespace

RemoteInbox::RemoteInbox(Napi::Function on_requests, Napi::Float64Array words, Napi::Uint8Array bytes)
    : on_requests_(Napi::Weak(on_requests)),
      words_(words.Data()),
      capacity_(words.ElementLength() / kWordsPerRemoteRequest),
      bytes_(bytes.Data()),
      size_(bytes.ByteLength()) {}

void RemoteInbox::Deliver(RemoteRequests& requests, const Call& call) {
  const auto flush = [&] {
    const size_t count = std::exchange(count_, 0);
    if (count > 0) call(on_requests_, count);
    Wipe(bytes_, std::exchange(used_, 0));
  };
  for (const uint64_t id : requests.TakeNew()) {
    std::optional<RemoteRequests::Taken> taken = requests.Look(id);
    if (!taken.has_value()) continue;
    if (!HasRoomFor(*taken->question)) {
      flush();
      taken = requests.Look(id);  // JavaScript may have ended the request
      if (!taken.has_value()) continue;
    }
    Write(*taken);
  }
  flush();
}

bool RemoteInbox::HasRoomFor(const RemoteQuestion& question) const {
  const size_t bytes = BytesOf(question);
  return count_ < capacity_ && (bytes > kMostBytes || bytes <= size_ - used_);
}

void RemoteInbox::Write(const RemoteRequests::Taken& taken) {
  const RemoteQuestion& question = *taken.question;
  double* words = words_ + count_++ * kWordsPerRemoteRequest;
  words[RemoteWord::kId] = static_cast<double>(taken.id);
  words[RemoteWord::kKey] = taken.key;
  words[RemoteWord::kJob] = taken.job;
  words[RemoteWord::kOperation] = static_cast<double>(question.operation);
  words[RemoteWord::kSize] = static_cast<double>(question.bytes.size);
  words[RemoteWord::kLabelSize] = question.label.present() ? static_cast<double>(question.label.size) : -1;
  words[RemoteWord::kDigest] = NumberOf(question.digest);
  words[RemoteWord::kMgf1Digest] = NumberOf(question.mgf1_digest);
  words[RemoteWord::kPadding] = question.padding;
  words[RemoteWord::kSaltLength] = question.salt_length;
  words[RemoteWord::kOffset] = -1;
  if (BytesOf(question) > kMostBytes) return;
  words[RemoteWord::kOffset] = static_cast<double>(used_);
  for (const ByteView& bytes : {question.bytes, question.label}) {
    if (bytes.size > 0) memcpy(bytes_ + used_, bytes.data, bytes.size);
    used_ += bytes.size;
  }
}

double RemoteInbox::NumberOf(const char* name) {
  if (name == nullptr) return 0;
  const auto [entry, is_new] = numbers_.emplace(name, static_cast<uint32_t>(names_.size() + 1));
  if (is_new) names_.push_back(&entry->first);
  return entry->second;
}

}  // namespace openssl_async
