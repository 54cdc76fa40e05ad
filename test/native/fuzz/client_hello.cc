// Fuzzes ReadClientHello(): the input is what a client has sent.
#include "tls/client_hello.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hello_of_openssl.h"
#include "require.h"

namespace openssl_async::fuzz {

namespace {

struct Reading {
  HelloStatus status;
  ClientHello hello;
};

// From memory of exactly this size, whose end the sanitizer guards.
Reading Read(const uint8_t* data, size_t size) {
  const std::vector<unsigned char> exact(data, data + size);
  Reading reading;
  reading.status = ReadClientHello({exact.data(), exact.size()}, &reading.hello);
  return reading;
}

bool IsSame(const Reading& one, const Reading& other) {
  return one.status == other.status && one.hello.server_name == other.hello.server_name &&
         one.hello.protocols == other.hello.protocols && one.hello.session_id == other.hello.session_id &&
         one.hello.wants_status == other.hello.wants_status;
}

// The contents of the records, of the last one what is there.
std::string ContentOf(const uint8_t* data, size_t size) {
  constexpr size_t kHead = 5;
  std::string content;
  while (size >= kHead) {
    const size_t record_size = std::min(size, kHead + (size_t{data[3]} << 8 | data[4]));
    content.append(reinterpret_cast<const char*>(data + kHead), record_size - kHead);
    data += record_size;
    size -= record_size;
  }
  return content;
}

bool IsListOfProtocols(const std::string& list) {
  size_t at = 0;
  while (at < list.size() && list[at] != '\0') at += 1 + static_cast<uint8_t>(list[at]);
  return at == list.size();
}

void CheckContent(const Reading& whole, const uint8_t* data, size_t size) {
  if (whole.status != HelloStatus::kComplete) {
    Require(whole.hello.server_name.empty() && whole.hello.protocols.empty() && whole.hello.session_id.empty(),
            "only a complete hello has contents");
    return;
  }
  const std::string content = ContentOf(data, size);
  Require(content.find(whole.hello.server_name) != std::string::npos, "the name was sent");
  Require(content.find(whole.hello.protocols) != std::string::npos, "the protocols were sent");
  Require(content.find(whole.hello.session_id) != std::string::npos, "the session's id was sent");
  Require(whole.hello.server_name.find('\0') == std::string::npos, "a name has no zero byte");
  Require(IsListOfProtocols(whole.hello.protocols), "protocols are a list");
}

// The client's second message, of which the input's bytes may be a part.
void CheckKeyIdentity(const uint8_t* data, size_t size) {
  const std::vector<unsigned char> exact(data, data + size);
  std::string identity;
  const HelloStatus status = ReadKeyIdentity({exact.data(), exact.size()}, &identity);
  if (status != HelloStatus::kComplete) return Require(identity.empty(), "only a complete message has a name");
  Require(identity.size() <= kMaxKeyIdentityBytes, "a name is no longer than OpenSSL takes it");
  Require(identity.find('\0') == std::string::npos, "a name is text");
  Require(ContentOf(data, size).find(identity) != std::string::npos, "the name was sent");
}

// However the bytes come, it is incomplete up to some byte, and from there on always the same.
void CheckPieces(const Reading& whole, const uint8_t* data, size_t size) {
  constexpr size_t kShort = 2048;
  const size_t pieces = size < kShort ? 128 : 16;
  const size_t step = std::max<size_t>(1, size / pieces);
  for (size_t end = size % step; end < size; end += step) {
    const Reading piece = Read(data, end);
    Require(piece.status == HelloStatus::kIncomplete || IsSame(piece, whole), "pieces read as the whole does");
  }
}

// Whichever context the name chooses is the one of the name that OpenSSL finds.
void CheckAgainstOpenssl(const Reading& whole, const uint8_t* data, size_t size) {
  const HelloOfOpenssl theirs = ReadByOpenssl({data, size});
  if (!theirs.accepted) return;
  Require(whole.status != HelloStatus::kIncomplete, "a hello that OpenSSL goes on with is not waited for");
  if (whole.status != HelloStatus::kComplete) return;
  Require(whole.hello.server_name == theirs.server_name, "OpenSSL reads the same name");
  Require(theirs.protocols.empty() || whole.hello.protocols == theirs.protocols, "OpenSSL reads the same protocols");
}

}  // namespace

}  // namespace openssl_async::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openssl_async::fuzz;
  const Reading whole = Read(data, size);
  CheckContent(whole, data, size);
  CheckPieces(whole, data, size);
  CheckAgainstOpenssl(whole, data, size);
  CheckKeyIdentity(data, size);
  return 0;
}
