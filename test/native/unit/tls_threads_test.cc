// The hub with its threads, over real sockets: accepting, moving, stopping.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support.h"
#include "tls/hub.h"
#include "tls_support.h"

namespace openssl_async::testing {

namespace {

class TestHub final : private OperationRunner::Delegate {
 public:
  explicit TestHub(uint32_t threads, uint32_t flags = 0, uint64_t max_inline_ns = 0) {
    signal(SIGPIPE, SIG_IGN);  // of clients whose server has gone
    scheduler_ = std::move(Scheduler::Create(loop.get()).value());
    runner_ = std::move(OperationRunner::Create(loop.get(), *scheduler_, *this).value());
    hub = std::move(Hub::Create(
                        loop.get(), *scheduler_, *runner_,
                        [this] {
                          return BatchSink::Memory{words_.data(), words_.size(), slab_.data(), slab_.size()};
                        },
                        [this](size_t count) { Tell(count); })
                        .value());
    auto settings = Settings();
    settings->threads = threads;
    settings->flags = flags;
    settings->lends = settings->Has(TlsServerFlag::kLends);
    settings->max_inline_ns = max_inline_ns;
    listener = hub->AddListener();
    hub->SetSettings(listener, settings);
    socket = UniqueSocket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    socklen_t size = sizeof(address);
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    REQUIRE(hub->Listen(listener, socket.get(), 128) == 0);
    // Tests wait for clients, too, of which the loop knows nothing.
    constexpr uint64_t kOftenMs = 2;
    uv_timer_init(loop.get(), &often_);
    uv_timer_start(
        &often_, [](uv_timer_t*) {}, kOftenMs, kOftenMs);
  }
  ~TestHub() {
    uv_close(reinterpret_cast<uv_handle_t*>(&often_), nullptr);
    hub->Drain();
    scheduler_->Drain(5000);
    bool closed = false;
    hub->Close([&] { runner_->Close([&] { scheduler_->Close([&] { closed = true; }); }); });
    CHECK(loop.RunUntil([&] { return closed; }));
  }

  size_t Count(TlsEventKind kind) const { return counts_[static_cast<size_t>(kind)]; }

  TestLoop loop;
  std::unique_ptr<Hub> hub;
  uint32_t listener = 0;
  UniqueSocket socket;
  sockaddr_in address = {};
  std::function<void(uint32_t id)> on_asking = [](uint32_t) {};
  std::function<void(uint32_t id)> on_secure = [](uint32_t) {};

 private:
  // Answers what it reads with the same bytes.
  void Tell(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const int32_t* const event = words_.data() + i * kWordsPerTlsEvent;
      const auto kind = static_cast<TlsEventKind>(event[TlsEventWord::kKind]);
      const auto id = static_cast<uint32_t>(event[TlsEventWord::kId]);
      ++counts_[static_cast<size_t>(kind)];
      if (kind == TlsEventKind::kSecure || kind == TlsEventKind::kAsking) hub->Claim(id);
      if (kind == TlsEventKind::kAsking) on_asking(id);
      if (kind == TlsEventKind::kSecure) on_secure(id);
      if (kind == TlsEventKind::kData) {
        const auto size = static_cast<size_t>(event[TlsEventWord::kSize]);
        const ByteView bytes = {slab_.data() + event[TlsEventWord::kOffset], size};
        hub->Write(id, &bytes, 1);
      }
      if (kind == TlsEventKind::kFailed || kind == TlsEventKind::kEnd) hub->Destroy(id, false);
    }
  }
  void OnOperations(OperationCall* const*, size_t) override {}
  void OnEnds(JobId) override {}

  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<OperationRunner> runner_;
  std::vector<int32_t> words_ = std::vector<int32_t>(2048 * kWordsPerTlsEvent);
  std::vector<unsigned char> slab_ = std::vector<unsigned char>(512 * 1024);
  size_t counts_[16] = {};
  uv_timer_t often_ = {};
};

UniqueSocket ConnectTo(const sockaddr_in& address) {
  UniqueSocket socket(::socket(AF_INET, SOCK_STREAM, 0));
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) socket.reset();
  return socket;
}

// Whether a client of libssl's gets back the word that it sends.
bool Echoes(const sockaddr_in& address) {
  const UniqueSocket socket = ConnectTo(address);
  const SslCtxPointer context(SSL_CTX_new(TLS_client_method()));
  const SslPointer client(SSL_new(context.get()));
  SSL_set_fd(client.get(), socket.get());
  char answer[5] = "";
  const bool is_same = SSL_connect(client.get()) == 1 && SSL_write(client.get(), "word", 4) == 4 &&
                       SSL_read(client.get(), answer, 4) == 4 && std::string(answer) == "word";
  SSL_shutdown(client.get());
  return is_same;
}

// So many clients, each on a thread.
class Clients {
 public:
  Clients(int count, const std::function<void()>& body) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, body] {
        body();
        ++done_;
      });
    }
  }
  ~Clients() {
    for (std::thread& thread : threads_) thread.join();
  }
  bool done() const { return done_ == static_cast<int>(threads_.size()); }

 private:
  std::atomic<int> done_{0};
  std::vector<std::thread> threads_;
};

// At the caller's end of a pair: answers what it reads with the same bytes, until the end.
void EchoAt(int fd) {
  const UniqueSocket socket(fd);
  char bytes[1000];
  while (true) {
    pollfd ready = {fd, POLLIN, 0};
    poll(&ready, 1, -1);
    const int count = ReadSocket(fd, bytes, sizeof(bytes));
    if (count == UV_EAGAIN) continue;
    if (count <= 0 || WriteSocket(fd, bytes, static_cast<size_t>(count)) < count) return;
  }
}

constexpr int kClients = 4;
constexpr int kConnections = 15;

// How many connections were served, of kClients that make kConnections each.
int ServeMany(TestHub& test) {
  std::atomic<int> served{0};
  const Clients clients(kClients, [&] {
    for (int i = 0; i < kConnections; ++i) served += Echoes(test.address) ? 1 : 0;
  });
  CHECK(test.loop.RunUntil([&] { return clients.done() && test.hub->live() == 0; }));
  return served;
}

}  // namespace

TEST_SUITE("threads of TLS") {
  TEST_CASE("many clients are served, wherever their handshakes run") {
    for (const uint32_t threads : {0U, 1U, 3U}) {
      CAPTURE(threads);
      TestHub test(threads);
      CHECK(ServeMany(test) == kClients * kConnections);
      const TlsMetrics& metrics = test.hub->metrics();
      CHECK(metrics.handshakes[threads == 0 ? 0 : 1].count() == kClients * kConnections);
      CHECK(metrics.moved == (threads == 0 ? 0 : kClients * kConnections));
    }
  }

  TEST_CASE("handshakes that the event loop has time for run there") {
    for (const uint32_t flags : {0U, static_cast<uint32_t>(TlsServerFlag::kAsks)}) {
      CAPTURE(flags);
      constexpr uint64_t kPlenty = 1'000'000'000;
      TestHub test(2, flags, kPlenty);
      test.on_asking = [&](uint32_t id) {
        test.hub->Find(id)->server()->TakeAnswer({});
        test.hub->GoOn(id);
      };
      {
        // How long one takes is not known before.
        const Clients first(1, [&] { Echoes(test.address); });
        CHECK(test.loop.RunUntil([&] { return first.done() && test.hub->live() == 0; }));
      }
      CHECK(ServeMany(test) == kClients * kConnections);
      const TlsMetrics& metrics = test.hub->metrics();
      CHECK(metrics.handshakes[0].count() > 0);
      CHECK(metrics.handshakes[0].count() + metrics.handshakes[1].count() == kClients * kConnections + 1);
    }
  }

  TEST_CASE("the budget of the event loop is never overdrawn, and comes back") {
    const auto budget = std::make_shared<InlineBudget>();
    InlineBudget::Share first = InlineBudget::Take(budget, 60, 100);
    CHECK(first.taken());
    CHECK_FALSE(InlineBudget::Take(budget, 41, 100).taken());
    InlineBudget::Share second = InlineBudget::Take(budget, 40, 100);
    CHECK(second.taken());
    first = std::move(second);
    CHECK_FALSE(second.taken());
    CHECK(InlineBudget::Take(budget, 60, 100).taken());
    first.reset();
    CHECK(InlineBudget::Take(budget, 100, 100).taken());
    CHECK_FALSE(InlineBudget::Take(budget, 101, 100).taken());
    CHECK_FALSE(InlineBudget::Take(nullptr, 1, 100).taken());
  }

  TEST_CASE("connections go on where their records are read and written") {
    for (const uint32_t threads : {1U, 3U}) {
      CAPTURE(threads);
      TestHub test(threads, static_cast<uint32_t>(TlsServerFlag::kLends));
      CHECK(ServeMany(test) == kClients * kConnections);
      CHECK(test.Count(TlsEventKind::kData) == kClients * kConnections);
      CHECK(test.hub->lent() == 0);
      CHECK(test.hub->metrics().bytes_written == 4 * kClients * kConnections);
    }
  }

  TEST_CASE("the end finds connections whose records a thread reads") {
    TestHub test(2, static_cast<uint32_t>(TlsServerFlag::kLends));
    std::atomic<bool> is_over{false};
    const Clients clients(kClients, [&] {
      const UniqueSocket socket = ConnectTo(test.address);
      const SslCtxPointer context(SSL_CTX_new(TLS_client_method()));
      const SslPointer client(SSL_new(context.get()));
      SSL_set_fd(client.get(), socket.get());
      char answer[5] = "";
      // Until the server has gone.
      while (SSL_connect(client.get()) == 1 && SSL_write(client.get(), "word", 4) == 4 &&
             SSL_read(client.get(), answer, 4) == 4) {
      }
      is_over = true;
    });
    CHECK(test.loop.RunUntil([&] { return test.hub->lent() == kClients; }));
    test.hub->Drain();
    test.socket.reset();
    CHECK(test.hub->lent() == 0);
    CHECK(test.loop.RunUntil([&] { return is_over.load(); }));
  }

  TEST_CASE("a connection whose server was asked for goes back to a thread") {
    TestHub test(2, static_cast<uint32_t>(TlsServerFlag::kAsks));
    test.on_asking = [&](uint32_t id) {
      test.hub->Find(id)->server()->TakeAnswer({});
      test.hub->GoOn(id);
      CHECK(test.hub->Find(id) == nullptr);
    };
    CHECK(ServeMany(test) == kClients * kConnections);
    CHECK(test.hub->metrics().handshakes[1].count() == kClients * kConnections);
  }

  TEST_CASE("a connection that nobody wants ends while a thread has it") {
    TestHub test(1, static_cast<uint32_t>(TlsServerFlag::kAsks));
    test.on_asking = [&](uint32_t id) {
      test.hub->Find(id)->server()->TakeAnswer({});
      test.hub->GoOn(id);
      test.hub->Destroy(id, false);
    };
    std::atomic<int> served{0};
    const Clients clients(kClients, [&] { served += Echoes(test.address) ? 1 : 0; });
    CHECK(test.loop.RunUntil([&] { return clients.done() && test.hub->live() == 0; }));
    CHECK(served == 0);
    CHECK(test.Count(TlsEventKind::kSecure) == 0);
  }

  TEST_CASE("a listener that stops tells when its last handshake is over") {
    TestHub test(1);
    const UniqueSocket silent = ConnectTo(test.address);
    CHECK(test.loop.RunUntil([&] { return test.hub->pending() == 1; }));
    test.hub->StopListening(test.listener);
    test.socket.reset();
    CHECK_FALSE(ConnectTo(test.address).valid());
    CHECK(test.hub->PendingOf(test.listener) == 1);
    shutdown(silent.get(), SHUT_RDWR);
    CHECK(test.loop.RunUntil([&] { return test.Count(TlsEventKind::kListenerIdle) == 1; }));
    CHECK(test.hub->PendingOf(test.listener) == 0);
  }

  TEST_CASE("the plaintext of a connection goes through a pair, while the event loop looks at it") {
    TestHub test(2);
    std::vector<std::thread> echoes;
    std::vector<uint32_t> ids;
    test.on_secure = [&](uint32_t id) {
      const int fd = test.hub->Pair(id);
      REQUIRE(fd >= 0);
      CHECK(test.hub->Find(id) == nullptr);
      CHECK(test.hub->Pair(id) == UV_EINVAL);
      test.hub->Release(id);
      echoes.emplace_back([fd] { EchoAt(fd); });
      ids.push_back(id);
    };
    std::atomic<int> served{0};
    {
      const Clients clients(kClients, [&] {
        for (int i = 0; i < kConnections; ++i) served += Echoes(test.address) ? 1 : 0;
      });
      CHECK(test.loop.RunUntil([&] {
        for (const uint32_t id : ids) {
          if (const ConnectionView connection = test.hub->Look(id))
            CHECK(SSL_get_version(connection->ssl()) != nullptr);
        }
        return clients.done() && test.hub->live() == 0;
      }));
    }
    for (std::thread& echo : echoes) echo.join();
    CHECK(served == kClients * kConnections);
    CHECK(test.hub->bytes_read() == size_t{4} * kClients * kConnections);
    CHECK(test.hub->bytes_written() == size_t{4} * kClients * kConnections);
    CHECK(test.Count(TlsEventKind::kEnd) + test.Count(TlsEventKind::kFailed) == kClients * kConnections);
  }

  TEST_CASE("a pair that was made before is taken, unless the connection has to stay") {
    TestHub test(1);
    uint32_t far = 0;
    UniqueSocket near(test.hub->MakePair(&far));
    REQUIRE(near.valid());
    CHECK(test.hub->PairWith(0, far) == UV_EINVAL);
    std::thread echo;
    test.on_secure = [&](uint32_t id) {
      CHECK(test.hub->PairWith(id, far + 1) == UV_EINVAL);
      CHECK(test.hub->PairWith(id, far) == 0);
      CHECK_FALSE(test.hub->TakeFar(far).valid());
      echo = std::thread([fd = near.release()] { EchoAt(fd); });
      test.hub->Release(id);
    };
    {
      const Clients clients(1, [&] { CHECK(Echoes(test.address)); });
      CHECK(test.loop.RunUntil([&] { return clients.done() && test.hub->live() == 0; }));
    }
    echo.join();
  }

  TEST_CASE("the end finds connections with pairs, and so does whoever wants none") {
    for (const bool drains : {false, true}) {
      CAPTURE(drains);
      TestHub test(1);
      UniqueSocket callers;
      uint32_t paired = 0;
      test.on_secure = [&](uint32_t id) {
        callers = UniqueSocket(test.hub->Pair(id));
        paired = id;
      };
      const Clients clients(1, [&] { CHECK_FALSE(Echoes(test.address)); });
      CHECK(test.loop.RunUntil([&] { return callers.valid(); }));
      if (drains) {
        test.hub->Drain();
        test.socket.reset();
      } else {
        test.hub->Destroy(paired, true);
      }
      CHECK(test.loop.RunUntil([&] { return clients.done() && test.hub->live() == 0; }));
      CHECK_FALSE(test.hub->Look(paired));
      char byte = 0;
      CHECK(ReadSocket(callers.get(), &byte, 1) <= 0);
    }
  }

  TEST_CASE("connections beyond the limit are dropped") {
    TestHub test(1);
    test.hub->SetMaxConnections(test.listener, 1);
    const UniqueSocket first = ConnectTo(test.address);
    const UniqueSocket second = ConnectTo(test.address);
    CHECK(test.loop.RunUntil([&] { return test.Count(TlsEventKind::kDropped) == 1; }));
    CHECK(test.hub->live() == 1);
  }

  TEST_CASE("the end finds a connection that a thread has") {
    TestHub test(1, static_cast<uint32_t>(TlsServerFlag::kAsks));
    bool is_lent = false;
    test.on_asking = [&](uint32_t id) {
      test.hub->Find(id)->server()->TakeAnswer({});
      test.hub->GoOn(id);
      is_lent = true;
      test.hub->Drain();
    };
    const Clients clients(1, [&] { CHECK_FALSE(Echoes(test.address)); });
    CHECK(test.loop.RunUntil([&] { return is_lent; }));
    CHECK(test.hub->live() == 0);
    test.socket.reset();
  }

  TEST_CASE("the end finds handshakes under way") {
    std::vector<UniqueSocket> silent;
    TestHub test(2);
    std::atomic<int> ended{0};
    const Clients clients(kClients, [&] {
      Echoes(test.address);
      ++ended;
    });
    for (int i = 0; i < kClients; ++i) silent.push_back(ConnectTo(test.address));
    CHECK(test.loop.RunUntil([&] { return test.hub->live() > 0; }));
    test.hub->Drain();
    test.socket.reset();
    CHECK(test.hub->live() == 0);
  }
}

}  // namespace openssl_async::testing
