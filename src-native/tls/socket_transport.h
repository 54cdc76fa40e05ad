// A socket carries the ciphertext: one read() and one write() for each turn of a connection.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "tls/socket.h"
#include "tls/transport.h"

namespace openssl_async {

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(UniqueSocket socket) : socket_(std::move(socket)) {}

  int fd() const override { return socket_.get(); }
  // One read().
  int Receive() override;
  // Each write() may wake the peer up, and whatever it leaves is kept: portions grow while the socket takes them whole.
  size_t PortionOf(size_t rest) const override { return rest <= portion_ + portion_ / 4 ? rest : portion_; }
  // One write().
  int Flush() override;
  void KeepOutput() override;
  bool pending() const override { return sent_ < pending_.size(); }
  void Cut() override { CutSocket(socket_.get()); }

 private:
  static constexpr uint32_t kLeastPortion = 64 * 1024;
  static constexpr uint32_t kMostPortion = 512 * 1024;

  std::string& output() override { return pending() || alone() ? pending_ : buffers().output; }
  void TellEnd() override { EndSocket(socket_.get()); }

  UniqueSocket socket_;
  std::string pending_;  // output, of which `sent_` bytes have left
  size_t sent_ = 0;
  uint32_t portion_ = 2 * kLeastPortion;
};

}  // namespace openssl_async
