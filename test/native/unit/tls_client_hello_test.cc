#include "tls/client_hello.h"

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support.h"

namespace openssl_async::testing {

namespace {

std::string Number(size_t number, int width) {
  std::string bytes;
  for (int i = width - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}
std::string Vector(const std::string& content, int width) { return Number(content.size(), width) + content; }
std::string Extension(int type, const std::string& content) { return Number(type, 2) + Vector(content, 2); }
std::string ServerName(const std::string& name) { return Extension(0, Vector(Number(0, 1) + Vector(name, 2), 2)); }
std::string Protocols(const std::string& list) { return Extension(16, Vector(list, 2)); }

std::string Message(const std::string& extensions) {
  const std::string body = std::string("\x03\x03") + std::string(32, 'r') + Vector("session", 1) +
                           Vector("\x13\x01", 2) + Vector(std::string(1, '\0'), 1) + Vector(extensions, 2);
  return Number(1, 1) + Vector(body, 3);
}
std::string Record(const std::string& content) { return std::string("\x16\x03\x01", 3) + Vector(content, 2); }

HelloStatus Read(const std::string& bytes, ClientHello* hello) {
  return ReadClientHello({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, hello);
}

HelloStatus Read(const std::string& bytes) {
  ClientHello hello;
  return Read(bytes, &hello);
}

}  // namespace

TEST_SUITE("TLS client hello") {
  TEST_CASE("gives the name and the protocols") {
    ClientHello hello;
    const std::string extensions = Extension(10, "groups") + ServerName("a.test") + Protocols("\x02h2\x08http/1.1");
    REQUIRE(Read(Record(Message(extensions)), &hello) == HelloStatus::kComplete);
    CHECK(hello.server_name == "a.test");
    CHECK(hello.protocols == "\x02h2\x08http/1.1");
    REQUIRE(Read(Record(Message("")), &hello) == HelloStatus::kComplete);
    CHECK(hello.server_name.empty());
    CHECK(hello.protocols.empty());
  }

  TEST_CASE("gives the session's id, unless there is a ticket") {
    const auto identities = [](const std::string& identity) {
      return Extension(41, Vector(Vector(identity, 2) + Number(0, 4), 2) + Vector(Vector("binder", 1), 2));
    };
    const std::string id(32, 'i');
    const std::pair<std::string, std::string> cases[] = {
        {"", "session"},
        {Extension(35, ""), "session"},
        {Extension(35, "ticket"), ""},
        {identities(id), id},
        {identities(std::string(200, 't')), "session"},
        {identities(id) + Extension(35, "ticket"), ""},
        {Extension(41, "broken"), "session"},
    };
    for (const auto& [extensions, expected] : cases) {
      ClientHello hello;
      REQUIRE(Read(Record(Message(extensions)), &hello) == HelloStatus::kComplete);
      CHECK(hello.session_id == expected);
      CHECK(hello.offers_session == (extensions.size() > 4));
    }
  }

  TEST_CASE("tells whether the status of the certificate is wanted, by OCSP") {
    for (const auto& [content, expected] :
         {std::pair(std::string("\1\0\0\0\0", 5), true), std::pair(std::string("\2\0\0", 3), false),
          std::pair(std::string(), false)}) {
      ClientHello hello;
      REQUIRE(Read(Record(Message(Extension(5, content))), &hello) == HelloStatus::kComplete);
      CHECK(hello.wants_status == expected);
    }
  }

  TEST_CASE("tells whether early data comes") {
    for (const auto& [extensions, expected] :
         {std::pair(Extension(42, ""), true), std::pair(Extension(43, ""), false)}) {
      ClientHello hello;
      REQUIRE(Read(Record(Message(extensions)), &hello) == HelloStatus::kComplete);
      CHECK(hello.offers_early_data == expected);
    }
  }

  TEST_CASE("gives the names of shared keys, as long as OpenSSL takes them for text") {
    std::string identities;
    for (const std::string& identity :
         {std::string("ann"), std::string(256, 'b'), std::string(257, 'c'), std::string("d\0e", 3), std::string()}) {
      identities += Vector(identity, 2) + Number(0, 4);
    }
    ClientHello hello;
    REQUIRE(Read(Record(Message(Extension(41, Vector(identities, 2)))), &hello) == HelloStatus::kComplete);
    CHECK(hello.key_identities == std::vector<std::string>{"ann", std::string(256, 'b')});
    CHECK(hello.session_id == "session");
  }

  TEST_CASE("gives no more names of shared keys than are asked about") {
    std::string identities;
    for (int i = 0; i < 5000; ++i) identities += Vector("k", 2) + Number(0, 4);
    ClientHello hello;
    const std::string message = Message(Extension(41, Vector(identities, 2)));
    std::string records;
    for (size_t at = 0; at < message.size(); at += 16'000) records += Record(message.substr(at, 16'000));
    REQUIRE(Read(records, &hello) == HelloStatus::kComplete);
    CHECK(hello.key_identities.size() == kMostKeyIdentities);
  }

  TEST_CASE("the name of a shared key, at every cut") {
    const auto read = [](const std::string& bytes, std::string* identity) {
      const std::vector<unsigned char> exact(bytes.begin(), bytes.end());
      return ReadKeyIdentity({exact.data(), exact.size()}, identity);
    };
    const std::string message = Number(16, 1) + Vector(Vector("ann", 2) + "public key", 3);
    const std::string whole = Record(message);
    std::string identity;
    const size_t end_of_name = 5 + 4 + 2 + 3;
    for (size_t size = 0; size <= whole.size(); ++size) {
      const HelloStatus expected = size < end_of_name ? HelloStatus::kIncomplete : HelloStatus::kComplete;
      CHECK(read(whole.substr(0, size), &identity) == expected);
    }
    CHECK(identity == "ann");
    std::string pieces;
    for (const char byte : message) pieces += Record(std::string(1, byte));
    const size_t end_in_pieces = 6 * (4 + 2 + 3);
    identity.clear();
    for (size_t size = 0; size <= pieces.size(); ++size) {
      const HelloStatus expected = size < end_in_pieces ? HelloStatus::kIncomplete : HelloStatus::kComplete;
      CHECK(read(pieces.substr(0, size), &identity) == expected);
    }
    CHECK(identity == "ann");
    CHECK(read(Record(Number(16, 1) + Vector(Vector("", 2), 3)), &identity) == HelloStatus::kComplete);
    CHECK(identity.empty());
    const std::string bad[] = {
        std::string("\x15\x03\x03\x00\x02\x01\x00", 7),       // an alert
        Record(Number(11, 1) + Vector(Vector("ann", 2), 3)),  // another message
        Record(Number(16, 1) + Vector(Vector(std::string(257, 'x'), 2), 3)),
        Record(Number(16, 1) + Vector(Vector(std::string("a\0b", 3), 2), 3)),
        Record(message.substr(0, 7)) + Record("") + Record(message.substr(7)),
        Record(message.substr(0, 7)) + std::string("\x15\x03\x03\x00\x02\x01\x00", 7),
        Record(Number(16, 1) + Number(3, 3) + Vector("ann", 2)),  // longer than its message
    };
    for (const std::string& bytes : bad) CHECK(read(bytes, &identity) == HelloStatus::kUnreadable);
  }

  TEST_CASE("is incomplete at every cut, in one record or several") {
    const std::string message = Message(ServerName("a.test") + Extension(21, std::string(600, '\0')));
    std::string pieces;
    for (size_t at = 0; at < message.size(); at += 3) pieces += Record(message.substr(at, 3));
    for (const std::string& whole : {Record(message), pieces}) {
      for (size_t size = 0; size < whole.size(); ++size) {
        REQUIRE(Read(whole.substr(0, size)) == HelloStatus::kIncomplete);
      }
      ClientHello hello;
      CHECK(Read(whole + "more", &hello) == HelloStatus::kComplete);
      CHECK(hello.server_name == "a.test");
    }
  }

  TEST_CASE("something else is unreadable at its first bytes") {
    CHECK(Read("G") == HelloStatus::kUnreadable);
    CHECK(Read("GET / HTTP/1.1\r\n") == HelloStatus::kUnreadable);
    CHECK(Read(std::string("\x16\x03\x01\x00\x00", 5)) == HelloStatus::kUnreadable);
    CHECK(Read(std::string("\x16\x03\x01\x00\x20\x02", 6)) == HelloStatus::kUnreadable);
    CHECK(Read(std::string("\x16\x03\x01\xff\xff", 5)) == HelloStatus::kUnreadable);
  }

  TEST_CASE("broken fields are unreadable") {
    CHECK(Read(Record(Message(ServerName(std::string("a\0b", 3))))) == HelloStatus::kUnreadable);
    CHECK(Read(Record(Message(Protocols(std::string("\0", 1))))) == HelloStatus::kUnreadable);
    CHECK(Read(Record(Message(Protocols("\x05h2")))) == HelloStatus::kUnreadable);
    CHECK(Read(Record(Message("\x01"))) == HelloStatus::kUnreadable);
    CHECK(Read(Record(Message(Number(0, 2) + Number(50, 2) + "short"))) == HelloStatus::kUnreadable);
  }

  TEST_CASE("one that is too long is unreadable before it is whole") {
    CHECK(Read(Record(Number(1, 1) + Number(kMaxHelloBytes, 3))) == HelloStatus::kUnreadable);
  }

  TEST_CASE("one that is too long by the heads of its records is unreadable, at once and in pieces") {
    const std::string message = Message(Extension(21, std::string(12'000, '\0')));
    std::string records;
    for (const char byte : message) records += Record(std::string(1, byte));
    REQUIRE(records.size() > kMaxHelloBytes);
    CHECK(Read(records.substr(0, kMaxHelloBytes - 1)) == HelloStatus::kIncomplete);
    CHECK(Read(records.substr(0, kMaxHelloBytes)) == HelloStatus::kUnreadable);
    CHECK(Read(records) == HelloStatus::kUnreadable);
  }

  TEST_CASE("whatever bytes come, none beyond the end is read") {
    std::mt19937 random(1);
    const std::string good = Record(Message(ServerName("a.test") + Protocols("\x02h2")));
    for (int i = 0; i < 20'000; ++i) {
      std::string bytes = good;
      for (int change = 0; change < 3; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
      bytes.resize(random() % (bytes.size() + 1));
      // Memory of exactly this size, whose end the sanitizer guards.
      const std::vector<unsigned char> exact(bytes.begin(), bytes.end());
      ClientHello hello;
      const HelloStatus status = ReadClientHello({exact.data(), exact.size()}, &hello);
      CHECK((status == HelloStatus::kComplete || (hello.server_name.empty() && hello.protocols.empty())));
    }
  }
}

}  // namespace openssl_async::testing
