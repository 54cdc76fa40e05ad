// A connection and libssl's own client, at the ends of a pair of sockets.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tls_support.h"

namespace openssl_async::testing {

// Both sides, one behind the other in one thread.
class Pair {
 public:
  explicit Pair(std::shared_ptr<ServerSettings> settings) {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    client_fd = UniqueSocket(fds[1]);
    const auto listener = std::make_shared<Listener>(1, [] {});
    listener->SetSettings(std::move(settings));
    connection.emplace(UniqueSocket(fds[0]), Admission(listener));
    connection->Enter(1, TlsPlace::kLoop, buffers_, events);
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    client.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client.get(), client_fd.get());
    SSL_set_connect_state(client.get());
  }

  void Turn() {
    connection->Run(true, true);
    while (connection->has_more()) connection->Run(false, false);
  }
  // Until both are done, or have no more to say.
  void Shake() {
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client.get());
      Turn();
    }
  }
  std::string ReadAsClient() {
    std::string all;
    char bytes[20'000];
    for (int i = 0; i < 1000; ++i) {
      const int count = SSL_read(client.get(), bytes, sizeof(bytes));
      if (count > 0) all.append(bytes, static_cast<size_t>(count));
      if (count <= 0 && !connection->wants_to_write()) break;
      Turn();
    }
    return all;
  }

  Recorder events;
  UniqueSocket client_fd;

 private:
  TransportBuffers buffers_;
  SslCtxPointer client_context_;

 public:
  SslPointer client;
  std::optional<ServerConnection> connection;
};

inline ByteView ViewOf(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

}  // namespace openssl_async::testing
