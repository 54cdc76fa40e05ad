// The state machine, over pairs of sockets, with libssl's own client.
#include "tls/connection.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support.h"
#include "tls/batch_sink.h"
#include "tls_pair.h"

namespace openssl_async::testing {

namespace {

std::string PeerName(SSL* client) {
  const X509Pointer certificate(SSL_get1_peer_certificate(client));
  char name[100] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof(name));
  return name;
}

}  // namespace

TEST_SUITE("TLS connection") {
  TEST_CASE("shakes hands, reads and writes") {
    Pair pair(Settings());
    pair.Shake();
    REQUIRE(pair.events.Heard(TlsEventKind::kSecure));
    REQUIRE(SSL_write(pair.client.get(), "question", 8) == 8);
    pair.Turn();
    CHECK(pair.events.text == "question");
    CHECK(pair.connection->Write(ViewOf("answer")) == 6);
    CHECK(pair.ReadAsClient() == "answer");
  }

  TEST_CASE("the hello may come byte by byte") {
    Pair pair(Settings());
    const SslCtxPointer context(SSL_CTX_new(TLS_client_method()));
    const SslPointer client(SSL_new(context.get()));
    BIO* const from_server = BIO_new(BIO_s_mem());
    BIO* const to_server = BIO_new(BIO_s_mem());
    SSL_set_bio(client.get(), from_server, to_server);
    SSL_set_connect_state(client.get());
    SSL_do_handshake(client.get());
    char byte = 0;
    while (BIO_read(to_server, &byte, 1) == 1) {
      CHECK(pair.connection->ssl() == nullptr);
      REQUIRE(write(pair.client_fd.get(), &byte, 1) == 1);
      pair.Turn();
    }
    char answer[8192];
    const ssize_t size = read(pair.client_fd.get(), answer, sizeof(answer));
    REQUIRE(size > 0);
    BIO_write(from_server, answer, static_cast<int>(size));
    CHECK(SSL_do_handshake(client.get()) == 1);
  }

  TEST_CASE("the hello's name chooses the context") {
    auto settings = Settings();
    settings->names.push_back({"*.test", ContextOf(SelfSigned("star"))});
    for (const auto& [name, expected] : {std::pair("a.test", "star"), std::pair("a.b.test", "default")}) {
      Pair pair(settings);
      SSL_set_tlsext_host_name(pair.client.get(), name);
      pair.Shake();
      CHECK(PeerName(pair.client.get()) == expected);
    }
  }

  TEST_CASE("a question holds the handshake until it is answered") {
    auto settings = Settings();
    settings->flags = static_cast<uint32_t>(TlsServerFlag::kAsks);
    Pair pair(settings);
    SSL_set_tlsext_host_name(pair.client.get(), "a.test");
    pair.Shake();
    REQUIRE(pair.events.told.size() == 1);
    CHECK(pair.events.told[0].kind == TlsEventKind::kAsking);
    CHECK(pair.connection->hello().server_name == "a.test");
    CHECK_FALSE(pair.connection->wants_to_read());
    HelloAnswer answer;
    answer.context = ContextOf(SelfSigned("answered"));
    pair.connection->TakeAnswer(std::move(answer));
    CHECK(pair.connection->has_more());
    pair.Shake();
    CHECK(PeerName(pair.client.get()) == "answered");
  }

  TEST_CASE("what the peer does not read waits, and nothing is lost") {
    Pair pair(Settings());
    pair.Shake();
    const std::string text(3'000'000, 'x');
    const size_t taken = pair.connection->Write(ViewOf(text));
    CHECK(taken < text.size());
    CHECK(pair.connection->wants_to_write());
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kDrained));
    CHECK(pair.ReadAsClient().size() == taken);
    CHECK(pair.events.Heard(TlsEventKind::kDrained));
  }

  TEST_CASE("short pieces share records, and all pieces come in order") {
    const std::vector<std::string> pieces = {"",
                                             "head",
                                             std::string(40'000, 'b'),
                                             std::string(10, 'c'),
                                             "",
                                             "middle",
                                             std::string(70'000, 'd'),
                                             std::string(16'384, 'e'),
                                             "",
                                             "end",
                                             ""};
    std::vector<ByteView> views;
    std::string all;
    for (const std::string& piece : pieces) {
      views.push_back(ViewOf(piece));
      all += piece;
    }
    Pair pair(Settings());
    pair.Shake();
    REQUIRE(pair.connection->Write(views.data(), views.size()) == all.size());
    std::string received;
    size_t records = 0;
    char bytes[20'000];
    for (int count = 0; (count = SSL_read(pair.client.get(), bytes, sizeof(bytes))) > 0; ++records) {
      received.append(bytes, static_cast<size_t>(count));
    }
    CHECK(received == all);
    CHECK(records <= all.size() / 16'384 + 4);  // one more for each long piece that others precede
    CHECK(pair.connection->Write(views.data(), 1) == 0);
    CHECK(pair.connection->Write(views.data(), 0) == 0);
    CHECK_FALSE(pair.connection->wants_to_write());
  }

  // A socket with little room: each write leaves something over.
  TEST_CASE("pieces go on where the peer had no room for more") {
    const std::string head = "head";
    const std::string body(3'000'000, 'b');
    Pair pair(Settings());
    pair.Shake();
    std::string received;
    std::string sent = head + body;
    for (size_t taken = 0; taken < sent.size();) {
      std::vector<ByteView> views;
      if (taken < head.size()) views.push_back({ViewOf(head).data + taken, head.size() - taken});
      const size_t from = taken - std::min(taken, head.size());
      views.push_back({ViewOf(body).data + from, body.size() - from});
      const size_t more = pair.connection->Write(views.data(), views.size());
      REQUIRE(more > 0);
      taken += more;
      received += pair.ReadAsClient();
      REQUIRE(received.size() == taken);
    }
    CHECK(received == sent);
  }

  TEST_CASE("nothing drains after a failure") {
    Pair pair(Settings());
    pair.Shake();
    pair.connection->Write(ViewOf(std::string(3'000'000, 'x')));
    REQUIRE(pair.connection->wants_to_write());
    pair.client_fd.reset();
    pair.Turn();
    CHECK(pair.events.told.back().kind == TlsEventKind::kFailed);
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kDrained));
  }

  TEST_CASE("keys of the handshake are logged, and keys that a client renews are not") {
    auto settings = Settings();
    settings->flags = static_cast<uint32_t>(TlsServerFlag::kLogsKeys);
    settings->LogKeys();
    Pair pair(settings);
    pair.Shake();
    REQUIRE(SSL_version(pair.client.get()) == TLS1_3_VERSION);
    const size_t lines = pair.events.key_log.size();
    CHECK(lines > 0);
    for (int i = 0; i < 100; ++i) {
      SSL_key_update(pair.client.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
      REQUIRE(SSL_write(pair.client.get(), "x", 1) == 1);
    }
    pair.Turn();
    CHECK(pair.events.text == std::string(100, 'x'));
    CHECK(pair.events.key_log.size() == lines);
  }

  TEST_CASE("a batch takes no more lines of the key log than it has room for") {
    constexpr size_t kEvents = 30;
    std::vector<int32_t> words(kEvents * kWordsPerTlsEvent);
    std::vector<unsigned char> slab(64 * 1024);
    size_t told = 0;
    BatchSink sink(
        [&] {
          return BatchSink::Memory{words.data(), words.size(), slab.data(), slab.size()};
        },
        [&](size_t count) { told = count; });
    REQUIRE(sink.Prepare());
    Pair pair(Settings());
    ConnectionEvents& events = sink;
    for (size_t i = 0; i < 2 * kEvents; ++i) events.OnKeyLog(*pair.connection, "LABEL");
    sink.Deliver();
    CHECK(told > 0);
    CHECK(told < kEvents);
  }

  TEST_CASE("a turn takes no more than its share") {
    Pair pair(Settings());
    pair.Shake();
    const std::string text(60'000, 'y');
    REQUIRE(SSL_write(pair.client.get(), text.data(), static_cast<int>(text.size())) == 60'000);
    pair.connection->Run(true, false);
    CHECK(pair.events.text.size() <= Connection::kTurnBytes);
    CHECK(pair.connection->has_more());
    pair.Turn();
    CHECK(pair.events.text == text);
  }

  TEST_CASE("an end that is announced, and one that is not") {
    for (const bool announced : {true, false}) {
      Pair pair(Settings());
      pair.Shake();
      SSL_write(pair.client.get(), "last", 4);
      if (announced) SSL_shutdown(pair.client.get());
      shutdown(pair.client_fd.get(), SHUT_WR);
      pair.Turn();
      pair.Turn();
      REQUIRE(pair.events.told.back().kind == TlsEventKind::kEnd);
      CHECK(pair.events.told.back().value == (announced ? 0 : 1));
      CHECK(pair.events.text == "last");
      CHECK_FALSE(pair.connection->wants_to_read());
      CHECK(pair.connection->Write(ViewOf("still")) == 5);
    }
  }

  TEST_CASE("after our end, the client may ask for new keys and goes on sending") {
    Pair pair(Settings());
    pair.Shake();
    REQUIRE(SSL_version(pair.client.get()) == TLS1_3_VERSION);
    pair.connection->End();
    // OpenSSL answers the first request when the second one comes.
    for (int i = 0; i < 2; ++i) {
      SSL_key_update(pair.client.get(), SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(pair.client.get());
    }
    SSL_write(pair.client.get(), "last", 4);
    pair.Turn();
    CHECK(pair.events.text == "last");
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kFailed));
  }

  TEST_CASE("a record that is no good fails after the plaintext before it, in a turn of its own") {
    Pair pair(Settings());
    pair.Shake();
    SSL_write(pair.client.get(), "good", 4);
    const std::string bad = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'b');
    REQUIRE(write(pair.client_fd.get(), bad.data(), bad.size()) == static_cast<ssize_t>(bad.size()));
    pair.connection->Run(true, false);
    CHECK(pair.events.text == "good");
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kFailed));
    CHECK(pair.connection->has_more());
    pair.Turn();
    REQUIRE(pair.events.told.back().kind == TlsEventKind::kFailed);
    CHECK(pair.events.told.back().value == static_cast<int32_t>(TlsFailure::kOpenssl));
    CHECK_FALSE(pair.connection->failure().openssl_errors.empty());
  }

  TEST_CASE("a connection that has failed wants nothing of its socket, though bytes wait") {
    Pair pair(Settings());
    pair.Shake();
    pair.connection->Write(ViewOf(std::string(3'000'000, 'x')));
    REQUIRE(pair.connection->wants_to_write());
    const std::string bad = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'b');
    REQUIRE(write(pair.client_fd.get(), bad.data(), bad.size()) == static_cast<ssize_t>(bad.size()));
    pair.connection->Run(true, false);
    REQUIRE(pair.events.Heard(TlsEventKind::kFailed));
    CHECK_FALSE(pair.connection->wants_to_read());
    CHECK_FALSE(pair.connection->wants_to_write());
  }

  TEST_CASE("clients that never end a handshake make its time known, and only of its kind") {
    const auto settings = Settings();
    RunTime& full = settings->context->handshake_time(false);
    RunTime& resumed = settings->context->handshake_time(true);
    {
      Pair pair(settings);
      pair.Shake();
      pair.client.reset();
    }
    const uint32_t whole = full.expected_ns();
    CHECK(whole != RunTime::kUnknown);
    CHECK(resumed.expected_ns() == RunTime::kUnknown);
    constexpr uint32_t kVeryLittle = 100;
    full.Record(kVeryLittle);
    resumed.Record(kVeryLittle);
    while (full.expected_ns() > 2 * kVeryLittle) full.Record(kVeryLittle);
    const uint32_t before = full.expected_ns();
    Pair pair(settings);
    SSL_do_handshake(pair.client.get());
    pair.Turn();
    CHECK(pair.connection->handshaking());
    CHECK(full.expected_ns() > before);
    CHECK(resumed.expected_ns() == kVeryLittle);
  }

  TEST_CASE("whoever leaves during the handshake, or takes too long") {
    Pair leaving(Settings());
    shutdown(leaving.client_fd.get(), SHUT_WR);
    leaving.Turn();
    REQUIRE(leaving.events.told.size() == 1);
    CHECK(leaving.events.told[0].value == static_cast<int32_t>(TlsFailure::kHandshakeEnded));
    Pair slow(Settings());
    slow.connection->TimeOut();
    REQUIRE(slow.events.told.size() == 1);
    CHECK(slow.events.told[0].value == static_cast<int32_t>(TlsFailure::kHandshakeTimeout));
  }

  TEST_CASE("connections share buffers, and none sees another's bytes") {
    Pair first(Settings());
    first.Shake();
    // The alert of a failed handshake stays with its own connection.
    const std::string garbage(100, '\x17');
    Pair second(Settings());
    REQUIRE(write(second.client_fd.get(), garbage.data(), garbage.size()) == 100);
    second.Turn();
    CHECK(second.events.Heard(TlsEventKind::kFailed));
    first.connection->Write(ViewOf("mine"));
    CHECK(first.ReadAsClient() == "mine");
  }
}

TEST_SUITE("TLS context") {
  TEST_CASE("a key that is not the certificate's, and text that is neither, are refused with OpenSSL's reason") {
    const Identity one = SelfSigned("one");
    const Identity two = SelfSigned("two");
    ContextOptions options;
    options.certificates = {one.certificate};
    UseKey(options, two.key);
    Result<std::shared_ptr<TlsContext>> mismatched = TlsContext::Create(options);
    REQUIRE_FALSE(mismatched.ok());
    CHECK(mismatched.error().openssl_errors.back().find("key values mismatch") != std::string::npos);
    UseKey(options, "nothing");
    CHECK_FALSE(TlsContext::Create(options).ok());
    options.keys.clear();
    options.ciphers = "no-such-cipher";
    CHECK_FALSE(TlsContext::Create(options).ok());
    CHECK(ERR_peek_error() == 0);
  }

  TEST_CASE("names match as node:tls matches them") {
    CHECK(MatchesName("a.test", "A.TEST"));
    CHECK(MatchesName("*.test", "a.test"));
    CHECK(MatchesName("a*.test", "abc.test"));
    CHECK_FALSE(MatchesName("*.test", "a.b.test"));
    CHECK_FALSE(MatchesName("*.test", ".test.b"));
    CHECK_FALSE(MatchesName("a.test", "a.tes"));
    CHECK_FALSE(MatchesName("", "a"));
  }
}

}  // namespace openssl_async::testing
