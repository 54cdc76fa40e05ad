#include "tls/client_hello.h"

#include <algorithm>
#include <cstdint>

namespace openssl_async {

namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHelloMessage = 1;
constexpr uint8_t kClientKeyExchangeMessage = 16;
constexpr size_t kRecordHead = 5;
constexpr size_t kMessageHead = 4;
constexpr size_t kMaxRecordBytes = 16 * 1024;
constexpr uint16_t kServerNameExtension = 0;
constexpr uint16_t kStatusExtension = 5;
constexpr uint16_t kProtocolsExtension = 16;
constexpr uint16_t kTicketExtension = 35;
constexpr uint16_t kPresharedKeyExtension = 41;
constexpr uint16_t kEarlyDataExtension = 42;

// Takes fields off the front. After a field that is not there, nothing is.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return bytes_.size == 0; }

  size_t Number(size_t width) {
    const ByteView field = Take(width);
    size_t number = 0;
    for (size_t i = 0; i < field.size; ++i) number = number << 8 | field.data[i];
    return number;
  }
  ByteView Take(size_t size) {
    if (!ok_ || size > bytes_.size) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const ByteView taken = {bytes_.data, size};
    bytes_ = {bytes_.data + size, bytes_.size - size};
    return taken;
  }
  // A field behind its own length.
  ByteView Vector(size_t width_of_length) { return Take(Number(width_of_length)); }

 private:
  ByteView bytes_;
  bool ok_ = true;
};

std::string ToText(ByteView bytes) {
  return bytes.size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

// The first name of type host_name; one with a zero byte in it is no name.
bool ReadServerName(ByteView extension, ClientHello* hello) {
  Reader list(Reader(extension).Vector(2));
  while (list.ok() && !list.empty()) {
    const size_t type = list.Number(1);
    const ByteView name = list.Vector(2);
    if (!list.ok()) return false;
    if (type != 0 || !hello->server_name.empty()) continue;
    if (name.size > 0 && memchr(name.data, 0, name.size) != nullptr) return false;
    hello->server_name = ToText(name);
  }
  return list.ok();
}

bool ReadProtocols(ByteView extension, ClientHello* hello) {
  Reader outer(extension);
  const ByteView list = outer.Vector(2);
  if (!outer.ok() || !outer.empty()) return false;
  Reader names(list);
  while (names.ok() && !names.empty()) {
    if (names.Vector(1).size == 0) return false;
  }
  if (names.ok()) hello->protocols = ToText(list);
  return names.ok();
}

// As OpenSSL, which takes them for text.
bool IsKeyIdentity(ByteView identity) {
  return identity.size <= kMaxKeyIdentityBytes &&
         (identity.size == 0 || memchr(identity.data, 0, identity.size) == nullptr);
}

// A server without tickets has given the client an id in place of one. Tickets are longer.
void ReadPresharedKeys(ByteView extension, ClientHello* hello) {
  constexpr size_t kSessionIdBytes = 32;
  Reader identities(Reader(extension).Vector(2));
  for (bool is_first = true; identities.ok() && !identities.empty(); is_first = false) {
    const ByteView identity = identities.Vector(2);
    identities.Number(4);  // the ticket's age
    if (!identities.ok()) return;
    if (is_first && identity.size == kSessionIdBytes) hello->session_id = ToText(identity);
    // Before TLS 1.3 it may be empty (RFC 4279, section 5.3).
    const bool is_key = identity.size > 0 && IsKeyIdentity(identity);
    if (hello->key_identities.size() < kMostKeyIdentities && is_key) {
      hello->key_identities.push_back(ToText(identity));
    }
  }
}

bool ReadExtensions(ByteView extensions, ClientHello* hello) {
  constexpr uint8_t kOcsp = 1;
  Reader reader(extensions);
  bool has_ticket = false;
  while (reader.ok() && !reader.empty()) {
    const size_t type = reader.Number(2);
    const ByteView content = reader.Vector(2);
    if (!reader.ok()) return false;
    if (type == kServerNameExtension && !ReadServerName(content, hello)) return false;
    if (type == kStatusExtension && content.size > 0) hello->wants_status = content.data[0] == kOcsp;
    if (type == kEarlyDataExtension) hello->offers_early_data = true;
    if (type == kTicketExtension && content.size > 0) has_ticket = true;
    if (type == kPresharedKeyExtension) {
      hello->offers_session = true;
      ReadPresharedKeys(content, hello);
    }
    if (type == kProtocolsExtension && !ReadProtocols(content, hello)) return false;
  }
  if (has_ticket) {
    hello->offers_session = true;
    hello->session_id.clear();
  }
  return reader.ok();
}

// `message` is whole, and without its head.
bool ReadMessage(ByteView message, ClientHello* hello) {
  constexpr size_t kRandomBytes = 32;
  Reader reader(message);
  reader.Take(2 + kRandomBytes);
  hello->session_id = ToText(reader.Vector(1));
  reader.Vector(2);  // cipher suites
  reader.Vector(1);  // compression methods
  if (!reader.ok()) return false;
  if (reader.empty()) return true;
  const ByteView extensions = reader.Vector(2);
  return reader.ok() && reader.empty() && ReadExtensions(extensions, hello);
}

HelloStatus ReadWhole(ByteView message, ClientHello* hello) {
  *hello = ClientHello();
  if (ReadMessage(message, hello)) return HelloStatus::kComplete;
  *hello = ClientHello();
  return HelloStatus::kUnreadable;
}

}  // namespace

HelloStatus ReadClientHello(ByteView bytes, ClientHello* hello) {
  // A transport may keep no more than these: a hello that is not whole in them is too long.
  const bool is_full = bytes.size >= kMaxHelloBytes;
  // Bytes beyond do not count: a hello is the same whether it comes at once or in pieces.
  if (is_full) bytes.size = kMaxHelloBytes;
  std::string joined;  // the message, where it is in several records
  size_t size = 0;     // of the message with its head; 0 before that is known
  for (size_t at = 0; at < bytes.size;) {
    const unsigned char* record = bytes.data + at;
    const size_t left = bytes.size - at;
    if (record[0] != kHandshakeRecord) return HelloStatus::kUnreadable;
    if (left < kRecordHead) break;
    const size_t record_size = Reader({record + 3, 2}).Number(2);
    if (record[1] != 3 || record_size == 0 || record_size > kMaxRecordBytes) return HelloStatus::kUnreadable;
    if (at == 0 && left > kRecordHead && record[kRecordHead] != kClientHelloMessage) return HelloStatus::kUnreadable;
    if (left < kRecordHead + record_size) break;
    const unsigned char* content = record + kRecordHead;
    if (at == 0 && record_size >= kMessageHead) {
      const size_t whole = kMessageHead + Reader({content + 1, 3}).Number(3);
      if (whole > kMaxHelloBytes) return HelloStatus::kUnreadable;
      if (whole <= record_size) return ReadWhole({content + kMessageHead, whole - kMessageHead}, hello);
    }
    joined.append(reinterpret_cast<const char*>(content), record_size);
    const auto* message = reinterpret_cast<const unsigned char*>(joined.data());
    if (joined.size() >= kMessageHead) size = kMessageHead + Reader({message + 1, 3}).Number(3);
    if (size > kMaxHelloBytes) return HelloStatus::kUnreadable;
    if (size != 0 && joined.size() >= size) return ReadWhole({message + kMessageHead, size - kMessageHead}, hello);
    at += kRecordHead + record_size;
  }
  return is_full ? HelloStatus::kUnreadable : HelloStatus::kIncomplete;
}

// The message may lie in several records.
HelloStatus ReadKeyIdentity(ByteView bytes, std::string* identity) {
  constexpr size_t kSizeBytes = 2;
  constexpr size_t kHead = kMessageHead + kSizeBytes;
  constexpr size_t kMost = kHead + kMaxKeyIdentityBytes;
  std::string message;  // its beginning
  for (;;) {
    if (!message.empty() && message[0] != kClientKeyExchangeMessage) return HelloStatus::kUnreadable;
    if (message.size() >= kHead) {
      const auto* const data = reinterpret_cast<const unsigned char*>(message.data());
      const size_t body_size = Reader({data + 1, 3}).Number(3);
      const size_t size = Reader({data + kMessageHead, kSizeBytes}).Number(kSizeBytes);
      if (size > kMaxKeyIdentityBytes || body_size < kSizeBytes + size) return HelloStatus::kUnreadable;
      if (message.size() >= kHead + size) {
        if (!IsKeyIdentity({data + kHead, size})) return HelloStatus::kUnreadable;
        *identity = message.substr(kHead, size);
        return HelloStatus::kComplete;
      }
    }
    if (bytes.size > 0 && bytes.data[0] != kHandshakeRecord) return HelloStatus::kUnreadable;
    if (bytes.size < kRecordHead) return HelloStatus::kIncomplete;
    const size_t record_size = Reader({bytes.data + 3, 2}).Number(2);
    if (record_size == 0) return HelloStatus::kUnreadable;
    const size_t there = std::min(record_size, bytes.size - kRecordHead);
    message += ToText({bytes.data + kRecordHead, std::min(there, kMost - message.size())});
    bytes = {bytes.data + kRecordHead + there, bytes.size - kRecordHead - there};
  }
}

}  // namespace openssl_async
