// Sessions that the user of a server keeps, and gives back.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support.h"
#include "tls_pair.h"

namespace openssl_async::testing {

namespace {

std::shared_ptr<ServerSettings> WithoutTickets(int version) {
  static const Identity identity = SelfSigned("default");
  ContextOptions options;
  options.certificates = {identity.certificate};
  UseKey(options, identity.key);
  options.min_version = version;
  options.max_version = version;
  options.options = SSL_OP_NO_TICKET;
  auto settings = std::make_shared<ServerSettings>();
  settings->context = TlsContext::Create(options).value();
  settings->flags =
      static_cast<uint32_t>(TlsServerFlag::kTellsSessions) | static_cast<uint32_t>(TlsServerFlag::kFindsSessions);
  return settings;
}

// To the end of the handshake, though a question without an answer may be asked.
void Shake(Pair& pair) {
  pair.Shake();
  if (!pair.events.Heard(TlsEventKind::kAsking)) return;
  pair.connection->TakeAnswer({});
  pair.Shake();
}

}  // namespace

TEST_SUITE("TLS sessions") {
  TEST_CASE("before TLS 1.3, the handshake waits until the session is kept") {
    Pair pair(WithoutTickets(TLS1_2_VERSION));
    Shake(pair);
    REQUIRE(pair.events.Heard(TlsEventKind::kNewSessions));
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kSecure));
    CHECK(SSL_is_init_finished(pair.client.get()) == 0);
    CHECK(pair.connection->handshaking());
    CHECK_FALSE(pair.connection->wants_to_read());
    CHECK_FALSE(pair.connection->wants_to_write());
    CHECK(pair.connection->wants_hang_up());
    const std::vector<NewSession> sessions = pair.connection->TakeNewSessions();
    REQUIRE(sessions.size() == 1);
    CHECK(sessions[0].id.size() == 32);
    CHECK(pair.connection->TakeNewSessions().empty());
    pair.connection->SetSessionsKept();
    CHECK(pair.connection->has_more());
    pair.Shake();
    CHECK(pair.events.Heard(TlsEventKind::kSecure));
    CHECK(SSL_is_init_finished(pair.client.get()) == 1);
  }

  TEST_CASE("under TLS 1.3, output waits, the end included") {
    Pair pair(WithoutTickets(TLS1_3_VERSION));
    Shake(pair);
    REQUIRE(pair.events.Heard(TlsEventKind::kSecure));
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kNewSessions));
    CHECK(pair.connection->TakeNewSessions().size() == 2);
    CHECK(pair.connection->has_unsent());
    CHECK(pair.connection->Write(ViewOf("text")) == 0);
    pair.connection->End();
    pair.Turn();
    CHECK(pair.ReadAsClient().empty());
    CHECK_FALSE(pair.events.Heard(TlsEventKind::kDrained));
    // What the client sends is read meanwhile.
    REQUIRE(SSL_write(pair.client.get(), "question", 8) == 8);
    pair.Turn();
    CHECK(pair.events.text == "question");
    pair.connection->SetSessionsKept();
    pair.Turn();
    CHECK(pair.events.Heard(TlsEventKind::kDrained));
    CHECK(pair.ReadAsClient().empty());
    CHECK((SSL_get_shutdown(pair.client.get()) & SSL_RECEIVED_SHUTDOWN) != 0);
  }

  TEST_CASE("a kept session is resumed by its id, and by no other one") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const auto settings = WithoutTickets(version);
      Pair first(settings);
      Shake(first);
      const std::vector<NewSession> sessions = first.connection->TakeNewSessions();
      first.connection->SetSessionsKept();
      first.Shake();
      first.ReadAsClient();
      const SslSessionPointer offered(SSL_get1_session(first.client.get()));
      // A client that resumes a session, and leaves without a word, does not offer it again.
      for (const bool is_right : {false, true}) {
        Pair again(settings);
        SSL_set_session(again.client.get(), offered.get());
        again.Shake();
        REQUIRE(again.events.Heard(TlsEventKind::kAsking));
        HelloAnswer answer;
        for (const NewSession& kept : sessions) {
          if (kept.id == again.connection->hello().session_id) answer.session = ToSession(ViewOf(kept.der.get()));
        }
        REQUIRE(answer.session != nullptr);
        if (!is_right) answer.session.reset();
        again.connection->TakeAnswer(std::move(answer));
        again.Shake();
        CHECK((SSL_session_reused(again.client.get()) == 1) == is_right);
      }
    }
  }

  TEST_CASE("bytes that are no session are none") {
    const std::string garbage(200, '\x30');
    CHECK(ToSession(ViewOf(garbage)) == nullptr);
    CHECK(ToSession(ViewOf("")) == nullptr);
    CHECK(ERR_peek_error() == 0);
  }

  TEST_CASE("a client that leaves, or takes too long, while its session is kept") {
    Pair leaving(WithoutTickets(TLS1_2_VERSION));
    Shake(leaving);
    leaving.connection->HangUp();
    CHECK(leaving.events.told.back().kind == TlsEventKind::kFailed);
    leaving.connection->SetSessionsKept();
    leaving.Turn();
    CHECK_FALSE(leaving.events.Heard(TlsEventKind::kSecure));
    Pair slow(WithoutTickets(TLS1_2_VERSION));
    Shake(slow);
    slow.connection->TimeOut();
    CHECK(slow.events.told.back().value == static_cast<int32_t>(TlsFailure::kHandshakeTimeout));
  }
}

}  // namespace openssl_async::testing
