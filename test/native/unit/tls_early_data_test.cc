// Early data: its tickets, and a server's connection that takes it.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support.h"
#include "tls/early_tickets.h"
#include "tls_pair.h"

namespace openssl_async::testing {

namespace {

bool Use(EarlyTickets& tickets, const EarlyTickets::Mark& mark) { return tickets.Use({mark.data(), mark.size()}); }

std::shared_ptr<ServerSettings> EarlySettings(uint32_t most) {
  auto settings = Settings();
  settings->max_early_data = most;
  return settings;
}

SslSessionPointer SessionOf(const std::shared_ptr<ServerSettings>& settings) {
  Pair pair(settings);
  pair.Shake();
  pair.ReadAsClient();
  return SslSessionPointer(SSL_SESSION_dup(SSL_get_session(pair.client.get())));
}

// A client that has sent its hello and early data, and the server has read both.
std::unique_ptr<Pair> Begin(const std::shared_ptr<ServerSettings>& settings, const SslSessionPointer& session,
                            const std::string& bytes) {
  auto pair = std::make_unique<Pair>(settings);
  // OpenSSL takes the session of a connection that breaks off for a bad one.
  const SslSessionPointer copy(SSL_SESSION_dup(session.get()));
  SSL_set_session(pair->client.get(), copy.get());
  size_t sent = 0;
  REQUIRE(SSL_write_early_data(pair->client.get(), bytes.data(), bytes.size(), &sent) == 1);
  pair->Turn();
  return pair;
}

size_t Count(const Pair& pair, TlsEventKind kind, int32_t value) {
  return static_cast<size_t>(std::count_if(pair.events.told.begin(), pair.events.told.end(),
                                           [&](const auto& each) { return each.kind == kind && each.value == value; }));
}

}  // namespace

TEST_SUITE("TLS early data") {
  TEST_CASE("a ticket is good once, and nowhere else") {
    EarlyTickets tickets;
    EarlyTickets others;
    REQUIRE(tickets.Prepare());
    REQUIRE(others.Prepare());
    const EarlyTickets::Mark first = tickets.Give();
    const EarlyTickets::Mark second = tickets.Give();
    others.Give();
    others.Give();
    CHECK_FALSE(Use(others, second));
    CHECK(Use(tickets, second));
    CHECK_FALSE(Use(tickets, second));
    CHECK(Use(tickets, first));
    CHECK_FALSE(Use(tickets, first));
    CHECK_FALSE(tickets.Use({first.data(), first.size() - 1}));
    CHECK_FALSE(tickets.Use({}));
    EarlyTickets::Mark later = second;
    later[EarlyTickets::kNameBytes] = 2;  // not given yet
    CHECK_FALSE(Use(tickets, later));
  }

  TEST_CASE("only the newest tickets are good") {
    EarlyTickets tickets;
    REQUIRE(tickets.Prepare());
    const EarlyTickets::Mark first = tickets.Give();
    const EarlyTickets::Mark second = tickets.Give();
    for (uint64_t i = 1; i < EarlyTickets::kMostTickets; ++i) tickets.Give();
    CHECK_FALSE(Use(tickets, first));
    CHECK(Use(tickets, second));
    const EarlyTickets::Mark reused = tickets.Give();  // has the place of the second one
    CHECK_FALSE(Use(tickets, second));
    CHECK(Use(tickets, reused));
  }

  TEST_CASE("a connection is open behind early data, and its handshake goes on") {
    const auto settings = EarlySettings(100);
    const SslSessionPointer session = SessionOf(settings);
    REQUIRE(SSL_SESSION_get_max_early_data(session.get()) == 100);
    const std::unique_ptr<Pair> pair = Begin(settings, session, "early");
    ServerConnection& server = *pair->connection;
    CHECK(Count(*pair, TlsEventKind::kSecure, 1) == 1);
    CHECK(pair->events.text == "early");
    CHECK_FALSE(server.handshaking());
    CHECK(server.early());
    CHECK_FALSE(server.may_leave());
    server.SetPaused(true);
    CHECK(server.wants_to_read());  // the end of the handshake
    CHECK(server.Write(ViewOf("answer")) == 6);
    server.End();  // too early
    CHECK(pair->ReadAsClient() == "answer");
    CHECK_FALSE(pair->events.Heard(TlsEventKind::kCompleted));
    pair->Shake();
    CHECK(pair->events.Heard(TlsEventKind::kCompleted));
    CHECK_FALSE(server.early());
    CHECK(server.may_leave());
    SSL_write(pair->client.get(), "late", 4);
    pair->Turn();
    CHECK(pair->events.text == "early");
    server.SetPaused(false);
    pair->Turn();
    CHECK(pair->events.text == "earlylate");
    CHECK(Count(*pair, TlsEventKind::kSecure, 0) == 0);
  }

  TEST_CASE("a session's second early data is refused, and its handshake is done") {
    const auto settings = EarlySettings(100);
    const SslSessionPointer session = SessionOf(settings);
    Begin(settings, session, "first");
    const std::unique_ptr<Pair> pair = Begin(settings, session, "second");
    CHECK(pair->events.told.empty());
    pair->Shake();
    CHECK(Count(*pair, TlsEventKind::kSecure, 0) == 1);
    CHECK(SSL_session_reused(pair->connection->ssl()) == 1);
    CHECK(SSL_get_early_data_status(pair->client.get()) == SSL_EARLY_DATA_REJECTED);
    CHECK(pair->events.text.empty());
  }

  TEST_CASE("a handshake that does not end behind early data fails in time, or with its client") {
    const auto settings = EarlySettings(100);
    const std::unique_ptr<Pair> late = Begin(settings, SessionOf(settings), "early");
    late->connection->TimeOut();
    late->Turn();
    CHECK(Count(*late, TlsEventKind::kFailed, static_cast<int32_t>(TlsFailure::kHandshakeTimeout)) == 1);
    const std::unique_ptr<Pair> left = Begin(settings, SessionOf(settings), "early");
    shutdown(left->client_fd.get(), SHUT_WR);
    left->Turn();
    CHECK(Count(*left, TlsEventKind::kFailed, static_cast<int32_t>(TlsFailure::kHandshakeEnded)) == 1);
  }
}

TEST_SUITE("threads: TLS early data") {
  TEST_CASE("of many who use a ticket, one may") {
    constexpr int kThreads = 4;
    EarlyTickets tickets;
    REQUIRE(tickets.Prepare());
    std::vector<EarlyTickets::Mark> marks(1000);
    for (EarlyTickets::Mark& mark : marks) mark = tickets.Give();
    std::atomic<int> used{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (const EarlyTickets::Mark& mark : marks) {
          tickets.Give();
          if (Use(tickets, mark)) ++used;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(used == static_cast<int>(marks.size()));
  }
}

}  // namespace openssl_async::testing
