// Handshakes that clients begin on an open connection, step by step.
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "support.h"
#include "tls/record_sink.h"
#include "tls_pair.h"

namespace openssl_async::testing {

namespace {

std::shared_ptr<ServerSettings> Letting() {
  std::shared_ptr<ServerSettings> settings = Settings();
  settings->flags = static_cast<uint32_t>(TlsServerFlag::kAllowsRenegotiation);
  return settings;
}

// A connection of TLS 1.2 that is open.
class Open : public Pair {
 public:
  explicit Open(std::shared_ptr<ServerSettings> settings) : Pair(std::move(settings)) {
    SSL_set_max_proto_version(client.get(), TLS1_2_VERSION);
    Shake();
    REQUIRE(events.Heard(TlsEventKind::kSecure));
  }

  // It offers its session, which would need no signature.
  void BeginAsClient() {
    REQUIRE(SSL_renegotiate_abbreviated(client.get()) == 1);
    SSL_do_handshake(client.get());
  }
  bool HasOutput() const {
    char byte = 0;
    return recv(client_fd.get(), &byte, 1, MSG_PEEK) == 1;
  }
};

}  // namespace

TEST_SUITE("TLS renegotiation") {
  TEST_CASE("is told of before anything is answered, and goes on in the next turn") {
    Open open(Letting());
    open.BeginAsClient();
    open.connection->Run(true, false);
    CHECK(open.events.told.back().kind == TlsEventKind::kRenegotiating);
    CHECK_FALSE(open.HasOutput());
    CHECK(open.connection->has_more());
    CHECK_FALSE(open.connection->may_leave());
    open.connection->Run(false, false);
    CHECK(open.HasOutput());
    CHECK(open.connection->may_leave());
    CHECK_FALSE(open.events.Heard(TlsEventKind::kRenegotiated));
    open.Shake();
    CHECK(open.events.told.back().kind == TlsEventKind::kRenegotiated);
    CHECK(SSL_session_reused(open.client.get()) == 0);
  }

  TEST_CASE("is told of once, although the hello comes byte by byte") {
    Open open(Letting());
    BIO* const to_server = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    const BioPointer kept(to_server);
    SSL_set0_wbio(open.client.get(), to_server);
    open.BeginAsClient();
    char byte = 0;
    while (BIO_read(to_server, &byte, 1) == 1) {
      CHECK_FALSE(open.HasOutput());
      REQUIRE(write(open.client_fd.get(), &byte, 1) == 1);
      open.connection->Run(true, false);
    }
    SSL_set_fd(open.client.get(), open.client_fd.get());
    open.Turn();
    open.Shake();
    int times = 0;
    for (const Told& each : open.events.told) times += each.kind == TlsEventKind::kRenegotiating ? 1 : 0;
    CHECK(times == 1);
    CHECK(open.events.told.back().kind == TlsEventKind::kRenegotiated);
  }

  TEST_CASE("of a paused connection waits") {
    Open open(Letting());
    open.BeginAsClient();
    open.connection->Run(true, false);
    open.connection->SetPaused(true);
    CHECK_FALSE(open.connection->has_more());
    open.connection->Run(false, false);
    CHECK_FALSE(open.HasOutput());
    open.connection->SetPaused(false);
    CHECK(open.connection->has_more());
    open.Shake();
    CHECK(open.events.told.back().kind == TlsEventKind::kRenegotiated);
  }

  TEST_CASE("on a thread waits until the loop was told") {
    Open open(Letting());
    RecordBuffers buffers;
    RecordBatch<RecordEvent> outbox;
    RecordSink sink(*open.connection, buffers, outbox);
    open.BeginAsClient();
    sink.Run(true, false);
    REQUIRE(outbox.messages.size() == 1);
    CHECK(outbox.messages[0].kind == TlsEventKind::kRenegotiating);
    CHECK_FALSE(open.connection->has_more());
    sink.Run(true, false);
    CHECK_FALSE(open.HasOutput());
    sink.SetRead(RecordSink::kUnreadOfHandshake);
    CHECK(open.connection->has_more());
    sink.Run(false, false);
    CHECK(open.HasOutput());
    for (int i = 0; i < 5; ++i) {
      SSL_do_handshake(open.client.get());
      sink.Run(true, true);
    }
    CHECK(outbox.messages.back().kind == TlsEventKind::kRenegotiated);
  }

  TEST_CASE("is refused where the server does not let clients, or was told not to") {
    for (const bool lets : {false, true}) {
      Open open(lets ? Letting() : Settings());
      if (lets) open.connection->ForbidRenegotiation();
      open.BeginAsClient();
      open.Turn();
      CHECK(open.events.Heard(TlsEventKind::kRenegotiating) == lets);
      ERR_clear_error();
      CHECK(SSL_do_handshake(open.client.get()) == -1);
      CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION);
      ERR_clear_error();
    }
  }
}

}  // namespace openssl_async::testing
