// Connections without a socket: the test carries the ciphertext, as JavaScript does, and libssl's client is at the
// other end.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support.h"
#include "tls/connection.h"
#include "tls_support.h"

namespace openssl_async::testing {

namespace {

ByteView ViewOf(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

class MemoryPair {
 public:
  explicit MemoryPair(std::shared_ptr<ServerSettings> settings) {
    const auto listener = std::make_shared<Listener>(1, [] {});
    listener->SetSettings(std::move(settings));
    connection.emplace(std::make_unique<MemoryTransport>(), Admission(listener));
    connection->Enter(1, TlsPlace::kLoop, buffers_, events);
    context_.reset(SSL_CTX_new(TLS_client_method()));
    client.reset(SSL_new(context_.get()));
    SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
  }

  // What the client has written.
  std::string FromClient() const {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(client.get()), &bytes);
    std::string all(bytes, static_cast<size_t>(size));
    BIO_reset(SSL_get_wbio(client.get()));
    return all;
  }
  void ToClient(const std::string& bytes) const {
    BIO_write(SSL_get_rbio(client.get()), bytes.data(), static_cast<int>(bytes.size()));
  }
  void Turns() {
    while (connection->has_more()) connection->Run(false, false);
  }
  // Everything that is there goes to the other side.
  void Carry() {
    const std::string bytes = FromClient();
    REQUIRE(connection->Feed(ViewOf(bytes)) == bytes.size());
    Turns();
    const std::string output = connection->TakeOutput();
    ToClient(output);
    if (!output.empty()) connection->SetCarried();
    Turns();
  }
  void Shake() {
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(client.get());
      Carry();
    }
    REQUIRE(events.Heard(TlsEventKind::kSecure));
  }

  Recorder events;

 private:
  TransportBuffers buffers_;
  SslCtxPointer context_;

 public:
  SslPointer client;
  std::optional<ServerConnection> connection;
};

// Of a single record.
std::string InRecordsOfOneByte(const std::string& record) {
  constexpr size_t kHead = 5;
  std::string records;
  for (const char byte : record.substr(kHead)) records += record.substr(0, 3) + std::string("\0\1", 2) + byte;
  return records;
}

size_t CountOf(const Recorder& events, TlsEventKind kind) {
  size_t count = 0;
  for (const Told& each : events.told) count += each.kind == kind ? 1 : 0;
  return count;
}

}  // namespace

TEST_SUITE("tls without a socket") {
  TEST_CASE("a handshake, plaintext both ways, and an end") {
    MemoryPair pair(Settings());
    CHECK(pair.connection->fd() == -1);
    pair.Shake();
    CHECK(SSL_is_init_finished(pair.client.get()) == 1);
    REQUIRE(SSL_write(pair.client.get(), "question", 8) == 8);
    pair.Carry();
    CHECK(pair.events.text == "question");
    CHECK(pair.connection->Write(ViewOf("answer")) == 6);
    pair.Carry();
    char bytes[10] = "";
    CHECK(SSL_read(pair.client.get(), bytes, sizeof(bytes)) == 6);
    CHECK(pair.events.Heard(TlsEventKind::kDrained));
    SSL_shutdown(pair.client.get());
    pair.Carry();
    CHECK(pair.events.told.back().kind == TlsEventKind::kEnd);
    CHECK(pair.events.told.back().value == 0);
  }

  TEST_CASE("by single bytes, each in memory that is gone after the call") {
    MemoryPair pair(Settings());
    SSL_do_handshake(pair.client.get());
    for (const char byte : pair.FromClient()) {
      auto one = std::make_unique<unsigned char>(static_cast<unsigned char>(byte));
      CHECK(pair.connection->Feed({one.get(), 1}) == 1);
      one.reset();
      pair.Turns();
    }
    CHECK(pair.events.Heard(TlsEventKind::kOutput));
    pair.Shake();
  }

  TEST_CASE("a paused connection keeps 64 KiB, and asks for more when it has read") {
    MemoryPair pair(Settings());
    pair.Shake();
    const std::string plaintext(200'000, 'x');
    REQUIRE(SSL_write(pair.client.get(), plaintext.data(), static_cast<int>(plaintext.size())) > 0);
    const std::string records = pair.FromClient();
    pair.connection->SetPaused(true);
    size_t taken = pair.connection->Feed(ViewOf(records));
    CHECK(taken == MemoryTransport::kMostInput);
    CHECK(pair.connection->Feed(ViewOf(records)) == 0);
    pair.Turns();
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kInputWanted));
    pair.connection->SetPaused(false);
    while (taken < records.size()) {
      const size_t asked = CountOf(pair.events, TlsEventKind::kInputWanted);
      pair.Turns();
      REQUIRE(CountOf(pair.events, TlsEventKind::kInputWanted) == asked + 1);
      taken += pair.connection->Feed(ViewOf(records.substr(taken)));
    }
    pair.Turns();
    CHECK(pair.events.text == plaintext);
  }

  TEST_CASE("output that is under way holds back the writer") {
    MemoryPair pair(Settings());
    pair.Shake();
    const std::string plaintext(200'000, 'y');
    const size_t written = pair.connection->Write(ViewOf(plaintext));
    CHECK(written == 48 * 1024);
    CHECK(pair.connection->Write(ViewOf(plaintext)) == 0);
    const std::string output = pair.connection->TakeOutput();
    CHECK(output.size() <= MemoryTransport::kMostInput);
    CHECK(pair.connection->TakeOutput().empty());
    CHECK(pair.connection->Write(ViewOf(plaintext)) == 0);
    pair.Turns();
    const size_t drained = CountOf(pair.events, TlsEventKind::kDrained);
    pair.connection->SetCarried();
    pair.Turns();
    CHECK(CountOf(pair.events, TlsEventKind::kDrained) == drained + 1);
    CHECK(pair.connection->Write(ViewOf(plaintext)) == written);
  }

  TEST_CASE("an end of the stream is told after the plaintext before it, and fails a handshake") {
    MemoryPair open(Settings());
    open.Shake();
    REQUIRE(SSL_write(open.client.get(), "all", 3) == 3);
    const std::string records = open.FromClient();
    open.connection->Feed(ViewOf(records));
    open.connection->FeedEnd();
    open.Turns();
    CHECK(open.events.text == "all");
    CHECK(open.events.told.back().kind == TlsEventKind::kEnd);
    CHECK(open.events.told.back().value == 1);

    MemoryPair silent(Settings());
    silent.connection->FeedEnd();
    silent.Turns();
    CHECK(silent.events.told.back().value == static_cast<int32_t>(TlsFailure::kHandshakeEnded));
  }

  TEST_CASE("an end while JavaScript is asked ends the handshake") {
    auto settings = Settings();
    settings->flags = static_cast<uint32_t>(TlsServerFlag::kAsks);
    MemoryPair pair(settings);
    SSL_do_handshake(pair.client.get());
    const std::string hello = pair.FromClient();
    pair.connection->Feed(ViewOf(hello));
    pair.connection->FeedEnd();
    pair.Turns();
    REQUIRE(pair.events.told.size() == 2);
    CHECK(pair.events.told[0].kind == TlsEventKind::kAsking);
    CHECK(pair.events.told[1].kind == TlsEventKind::kFailed);
  }

  TEST_CASE("garbage is answered by an alert, and nothing is kept after a failure") {
    MemoryPair pair(Settings());
    // A record of a handshake, with no message in it.
    const std::string garbage = std::string("\x16\x03\x01\x00\x64", 5) + std::string(70'000, 'g');
    pair.connection->Feed(ViewOf(garbage));
    pair.Turns();
    CHECK(pair.events.Heard(TlsEventKind::kFailed));
    CHECK(pair.connection->TakeOutput().substr(0, 1) == "\x15");
    CHECK(pair.connection->Feed(ViewOf(garbage)) == garbage.size());
  }

  TEST_CASE("a hello that fills the memory is answered by OpenSSL") {
    MemoryPair pair(Settings());
    std::string protocols;
    for (int i = 0; i < 50; ++i) protocols += '\xff' + std::string(0xff, 'p');
    SSL_set_alpn_protos(pair.client.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    SSL_do_handshake(pair.client.get());
    const std::string records = InRecordsOfOneByte(pair.FromClient());
    REQUIRE(records.size() > MemoryTransport::kMostInput);
    const size_t taken = pair.connection->Feed(ViewOf(records));
    CHECK(taken == MemoryTransport::kMostInput);
    pair.Turns();
    REQUIRE(pair.events.Heard(TlsEventKind::kInputWanted));
    CHECK(pair.connection->Feed(ViewOf(records.substr(taken))) == records.size() - taken);
    pair.Turns();
    CHECK(pair.events.Heard(TlsEventKind::kOutput));
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kFailed));
  }

  TEST_CASE("a connection that is cut gives no output") {
    MemoryPair pair(Settings());
    pair.Shake();
    pair.connection->Cut();
    pair.connection->Write(ViewOf("lost"));
    CHECK(pair.connection->TakeOutput().empty());
  }
}

}  // namespace openssl_async::testing
