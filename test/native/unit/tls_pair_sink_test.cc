// The plaintext of a connection at one end of a pair of sockets; the test has the other end, and libssl's own client.
#include "tls/pair_sink.h"

#include <sys/socket.h>
#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support.h"
#include "tls_pair.h"

namespace openssl_async::testing {

namespace {

constexpr uint8_t kAll = Interest::kRead | Interest::kWrite;

// A connection that is open, whose plaintext goes to `other_end`.
class Paired {
 public:
  Paired() : tls(Settings()) {
    tls.Shake();
    REQUIRE(tls.events.Heard(TlsEventKind::kSecure));
    UniqueSocket end;
    REQUIRE(MakeSocketPair(end, other_end, PairSink::kHeldBytes) == 0);
    sink.emplace(*tls.connection, std::move(end), buffers_);
  }

  void Turn() {
    sink->Run(kAll, kAll);
    while (tls.connection->has_more()) sink->Run(0, 0);
  }
  bool Write(const std::string& text) {
    return WriteSocket(other_end.get(), text.data(), text.size()) == static_cast<int>(text.size());
  }
  // What the other end has for its reader now; nothing at its end.
  std::optional<std::string> Read(size_t size = 200'000) {
    std::string bytes(size, '\0');
    const int count = ReadSocket(other_end.get(), bytes.data(), size);
    if (count == 0) return std::nullopt;
    return bytes.substr(0, count > 0 ? static_cast<size_t>(count) : 0);
  }
  // As Pair::ReadAsClient().
  std::string ReadAsClient() {
    std::string all;
    char bytes[20'000];
    for (int count = 1; count > 0; Turn()) {
      count = SSL_read(tls.client.get(), bytes, sizeof(bytes));
      if (count > 0) all.append(bytes, static_cast<size_t>(count));
    }
    return all;
  }

  Pair tls;
  UniqueSocket other_end;

 private:
  PairBuffers buffers_;

 public:
  std::optional<PairSink> sink;
};

}  // namespace

TEST_SUITE("TLS pair sink") {
  TEST_CASE("plaintext goes both ways") {
    Paired paired;
    REQUIRE(SSL_write(paired.tls.client.get(), "question", 8) == 8);
    paired.Turn();
    CHECK(paired.Read() == "question");
    REQUIRE(paired.Write("answer"));
    paired.Turn();
    CHECK(paired.ReadAsClient() == "answer");
    CHECK(paired.sink->TakeBytesRead() == 8);
    CHECK(paired.sink->TakeBytesWritten() == 6);
    CHECK(paired.sink->TakeBytesRead() == 0);
  }

  TEST_CASE("a client waits for an end that nobody reads, and loses nothing") {
    Paired paired;
    const std::string piece(10'000, 'p');
    size_t written = 0;
    int refused = 0;
    while (refused < 3) {
      const bool is_taken = SSL_write(paired.tls.client.get(), piece.data(), static_cast<int>(piece.size())) > 0;
      refused = is_taken ? 0 : refused + 1;
      if (is_taken) written += piece.size();
      paired.Turn();
      REQUIRE(written < 10'000'000);
    }
    CHECK_FALSE(paired.tls.connection->wants_to_read());
    CHECK((paired.sink->interest() & Interest::kWrite) != 0);
    std::string all;
    for (std::string some = *paired.Read(); !some.empty(); some = *paired.Read()) {
      all += some;
      paired.Turn();
    }
    // The client repeats the write that was refused.
    CHECK(SSL_write(paired.tls.client.get(), piece.data(), static_cast<int>(piece.size())) > 0);
    paired.Turn();
    all += *paired.Read();
    CHECK(all == std::string(written + piece.size(), 'p'));
    CHECK((paired.sink->interest() & Interest::kWrite) == 0);
  }

  TEST_CASE("whoever writes waits for a client that does not read, and loses nothing") {
    Paired paired;
    const std::string piece(10'000, 'p');
    size_t written = 0;
    while (paired.Write(piece)) {
      written += piece.size();
      paired.Turn();
      REQUIRE(written < 10'000'000);
    }
    CHECK((paired.sink->interest() & Interest::kRead) == 0);
    CHECK(paired.ReadAsClient().size() >= written);
    CHECK((paired.sink->interest() & Interest::kRead) != 0);
  }

  TEST_CASE("the end of each side is told, and the other side goes on") {
    Paired paired;
    SSL_shutdown(paired.tls.client.get());
    shutdown(paired.tls.client_fd.get(), SHUT_WR);
    paired.Turn();
    CHECK(paired.Read() == std::nullopt);
    CHECK_FALSE(paired.sink->truncated());
    REQUIRE(paired.Write("still there"));
    paired.Turn();
    CHECK(paired.ReadAsClient() == "still there");
    EndSocket(paired.other_end.get());
    paired.Turn();
    char byte = 0;
    CHECK(SSL_read(paired.tls.client.get(), &byte, 1) == 0);
    CHECK((SSL_get_shutdown(paired.tls.client.get()) & SSL_RECEIVED_SHUTDOWN) != 0);
    CHECK_FALSE(paired.sink->has_left());
    paired.sink->Release();
    CHECK(paired.sink->has_left());
  }

  TEST_CASE("an end without a word comes after the plaintext") {
    Paired paired;
    REQUIRE(SSL_write(paired.tls.client.get(), "last words", 10) == 10);
    shutdown(paired.tls.client_fd.get(), SHUT_WR);
    paired.Turn();
    CHECK(paired.Read() == "last words");
    paired.Turn();
    CHECK(paired.Read() == std::nullopt);
    CHECK(paired.sink->truncated());
  }

  TEST_CASE("all that was written leaves before it is over, whatever the client still sends") {
    Paired paired;
    const std::string text(150'000, 't');
    REQUIRE(paired.Write(text));
    REQUIRE(SSL_write(paired.tls.client.get(), "unread", 6) == 6);
    paired.other_end.reset();
    paired.sink->Release();
    CHECK_FALSE(paired.sink->has_left());
    paired.Turn();
    CHECK(paired.ReadAsClient() == text);
    CHECK(paired.sink->has_left());
    CHECK_FALSE(paired.sink->failure().has_value());
  }

  TEST_CASE("a connection that fails has a reason, and no more turns") {
    Paired paired;
    const unsigned char garbage[] = {23, 3, 3, 0, 4, 1, 2, 3, 4};
    REQUIRE(WriteSocket(paired.tls.client_fd.get(), garbage, sizeof(garbage)) == sizeof(garbage));
    paired.Turn();
    CHECK(paired.sink->failure() == static_cast<int32_t>(TlsFailure::kOpenssl));
    CHECK_FALSE(paired.tls.connection->failure().openssl_errors.empty());
    REQUIRE(paired.Write("in vain"));
    paired.Turn();
    CHECK(paired.sink->interest() == Interest::kNone);
    CHECK(paired.Read() == "");
  }
}

}  // namespace openssl_async::testing
