// The client's side of a connection, with ours as its server.
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tls/client_connection.h"
#include "tls_support.h"

namespace openssl_async::testing {

namespace {

// Both sides, one behind the other in one thread.
class Ends {
 public:
  explicit Ends(std::shared_ptr<ServerSettings> settings, ClientSettings wanted, TlsPlace place = TlsPlace::kLoop) {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    const auto listener = std::make_shared<Listener>(1, [] {});
    listener->SetSettings(std::move(settings));
    server.emplace(UniqueSocket(fds[0]), Admission(listener));
    server->Enter(1, TlsPlace::kLoop, buffers_, server_events);
    wanted.handshake_timeout_ms = 0;
    client.emplace(UniqueSocket(fds[1]), std::move(wanted));
    client->Enter(2, place, buffers_, client_events);
  }

  void MoveClientToLoop() { client->Enter(2, TlsPlace::kLoop, buffers_, client_events); }

  void Turns(bool server_is_welcome = true) {
    for (int i = 0; i < 10; ++i) {
      if (server_is_welcome && client_events.Heard(TlsEventKind::kSecure)) client->SetWelcome();
      for (Connection* each : {static_cast<Connection*>(&*client), static_cast<Connection*>(&*server)}) {
        each->Run(true, true);
        while (each->has_more()) each->Run(false, false);
      }
    }
  }

  Recorder server_events;
  Recorder client_events;

 private:
  TransportBuffers buffers_;

 public:
  std::optional<ServerConnection> server;
  std::optional<ClientConnection> client;
};

std::shared_ptr<TlsContext> ClientContext(int version) {
  ContextOptions options;
  options.min_version = version;
  options.max_version = version;
  Result<std::shared_ptr<TlsContext>> context = TlsContext::Create(options);
  REQUIRE(context.ok());
  return context.value();
}

ClientSettings Wanted(int version) {
  ClientSettings settings;
  settings.context = ClientContext(version);
  settings.server_name = "a.test";
  return settings;
}

ByteView ViewOf(const std::string& text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

}  // namespace

TEST_CASE("a client begins by itself, and both sides carry plaintext") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientSettings wanted = Wanted(version);
    wanted.flags = static_cast<uint32_t>(TlsClientFlag::kLogsKeys);
    wanted.protocols = "\1x";
    Ends ends(Settings(), std::move(wanted));
    CHECK(ends.client->has_more());
    CHECK(ends.client->deadline_ms() == 0);
    CHECK(ends.client->listener_id() == 0);
    ends.Turns();
    CHECK(ends.client_events.Heard(TlsEventKind::kSecure));
    CHECK(ends.server->hello().server_name == "a.test");
    CHECK(ends.server->hello().protocols == "\1x");
    CHECK_FALSE(ends.client_events.key_log.empty());
    CHECK(ends.client->verify_result() == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CHECK(PeerCertificates(ends.client->ssl()).size() == 1);
    CHECK(ends.client->Write(ViewOf("to the server")) == 13);
    CHECK(ends.server->Write(ViewOf("to the client")) == 13);
    ends.Turns();
    CHECK(ends.server_events.text == "to the server");
    CHECK(ends.client_events.text == "to the client");
    ends.client->End();
    ends.Turns();
    CHECK(ends.server_events.Heard(TlsEventKind::kEnd));
  }
}

TEST_CASE("a server that is not welcome does not get the client's last message") {
  for (const bool is_welcome : {false, true}) {
    Ends ends(Settings(), Wanted(TLS1_3_VERSION));
    ends.Turns(false);
    CHECK(ends.client_events.Heard(TlsEventKind::kSecure));
    CHECK_FALSE(ends.server_events.Heard(TlsEventKind::kSecure));
    ends.Turns(is_welcome);
    CHECK(ends.server_events.Heard(TlsEventKind::kSecure) == is_welcome);
  }
}

TEST_CASE("a client is told of sessions, and resumes them") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto settings = Settings();
    std::string kept;
    {
      Ends ends(settings, Wanted(version));
      ends.Turns();
      CHECK(ends.client_events.Heard(TlsEventKind::kNewSessions));
      const std::vector<NewSession> sessions = ends.client->TakeNewSessions();
      REQUIRE_FALSE(sessions.empty());
      CHECK(sessions.size() == (version == TLS1_2_VERSION ? 1 : 2));
      kept = sessions.back().der.get();
    }
    ClientSettings wanted = Wanted(version);
    wanted.session = ToSession(ViewOf(kept));
    Ends again(settings, std::move(wanted));
    again.Turns();
    CHECK(SSL_session_reused(again.client->ssl()) == 1);
  }
}

TEST_CASE("a client that its thread gives back to the event loop begins there") {
  ClientSettings wanted = Wanted(TLS1_3_VERSION);
  constexpr uint32_t kLittle = 1000;
  wanted.context->client_handshake_time(false).Record(kLittle);
  wanted.inline_budget = std::make_shared<InlineBudget>();
  wanted.max_inline_ns = 1'000'000;
  Ends ends(Settings(), std::move(wanted), TlsPlace::kThread);
  REQUIRE(ends.client->has_more());
  ends.client->Run(false, false);
  REQUIRE(ends.client->wants_loop());
  CHECK_FALSE(ends.client->has_more());
  ends.MoveClientToLoop();
  CHECK(ends.client->has_more());
  ends.Turns();
  CHECK(ends.client_events.Heard(TlsEventKind::kSecure));
  CHECK(ends.client->handshake_place() == TlsPlace::kLoop);
}

TEST_CASE("a client whose server leaves fails") {
  Ends ends(Settings(), Wanted(TLS1_3_VERSION));
  ends.client->Run(false, false);
  ends.server.reset();
  ends.client->Run(true, true);
  REQUIRE_FALSE(ends.client_events.told.empty());
  CHECK(ends.client_events.told.back().kind == TlsEventKind::kFailed);
}

TEST_CASE("a client trusts the roots that it is given") {
  const Identity identity = SelfSigned("a.test");
  const auto settings = std::make_shared<ServerSettings>();
  settings->context = ContextOf(identity);
  ClientSettings wanted = Wanted(TLS1_3_VERSION);
  Result<std::shared_ptr<TrustedRoots>> roots = TrustedRoots::Create({"no certificate", identity.certificate}, false);
  REQUIRE(roots.ok());
  wanted.roots = roots.value();
  Ends ends(settings, std::move(wanted));
  ends.Turns();
  CHECK(ends.client->verify_result() == X509_V_OK);
}

}  // namespace openssl_async::testing
