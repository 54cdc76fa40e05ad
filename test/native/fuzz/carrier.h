// The way between the client and the server: a pair of sockets, or memory that somebody carries, as JavaScript carries
// the ciphertext of streams.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server.h"

namespace openssl_async::fuzz {

class Carrier {
 public:
  Carrier() = default;
  virtual ~Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  virtual bool is_open() const = 0;
  // Not while the server has no room, and has not told of any.
  virtual bool wants_bytes() const = 0;
  // To the server: how many bytes went.
  virtual size_t Send(ByteView bytes) = 0;
  // Of what the server has sent.
  virtual std::string Receive(size_t most) = 0;
  // The server is told that everything it has sent is on its way.
  virtual void TellCarried() = 0;
  // The client sends no more.
  virtual void HalfClose() = 0;
  virtual void Close() = 0;
};

// Makes the server, too.
std::unique_ptr<Carrier> MakeCarrier(uint8_t server_options, std::optional<Server>& server);

}  // namespace openssl_async::fuzz
