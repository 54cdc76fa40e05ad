#include "carrier.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "require.h"
#include "tls/socket.h"

namespace openssl_async::fuzz {

namespace {

class SocketCarrier final : public Carrier {
 public:
  explicit SocketCarrier(UniqueSocket client) : client_(std::move(client)) {}

  bool is_open() const override { return client_.valid(); }
  bool wants_bytes() const override { return true; }
  size_t Send(ByteView bytes) override {
    const ssize_t sent = send(client_.get(), bytes.data, bytes.size, MSG_NOSIGNAL);
    return static_cast<size_t>(std::max<ssize_t>(sent, 0));
  }
  std::string Receive(size_t most) override {
    constexpr size_t kMostAtOnce = 16 * 1024;
    std::string bytes(std::min(most, kMostAtOnce), '\0');
    const ssize_t count = read(client_.get(), bytes.data(), bytes.size());
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return bytes;
  }
  void TellCarried() override {}
  void HalfClose() override { shutdown(client_.get(), SHUT_WR); }
  void Close() override { client_.reset(); }

 private:
  UniqueSocket client_;
};

class MemoryCarrier final : public Carrier {
 public:
  explicit MemoryCarrier(Server& server) : server_(server) {}

  bool is_open() const override { return is_open_; }
  bool wants_bytes() const override { return server_.wants_input(); }
  size_t Send(ByteView bytes) override { return server_.Feed(bytes); }
  std::string Receive(size_t most) override {
    if (received_.empty()) received_ = server_.TakeOutput();
    std::string bytes = received_.substr(0, most);
    received_.erase(0, most);
    return bytes;
  }
  void TellCarried() override { server_.SetCarried(); }
  void HalfClose() override { server_.FeedEnd(); }
  void Close() override {
    if (!std::exchange(is_open_, false)) return;
    server_.SetPaused(false);
    server_.FeedEnd();
  }

 private:
  Server& server_;
  bool is_open_ = true;
  std::string received_;  // that the client has not read
};

}  // namespace

std::unique_ptr<Carrier> MakeCarrier(uint8_t server_options, std::optional<Server>& server) {
  if ((server_options & ServerOption::kMemory) != 0) {
    server.emplace(server_options, std::make_unique<MemoryTransport>());
    return std::make_unique<MemoryCarrier>(*server);
  }
  int fds[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0, "there are sockets");
  server.emplace(server_options, UniqueSocket(fds[0]));
  return std::make_unique<SocketCarrier>(UniqueSocket(fds[1]));
}

}  // namespace openssl_async::fuzz
