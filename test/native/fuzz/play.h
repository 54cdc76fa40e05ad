// Plays an input of the connection target: steps.h has its language.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "carrier.h"
#include "input.h"
#include "server.h"
#include "steps.h"
#include "tls_client.h"
#include "wire.h"

namespace openssl_async::fuzz {

class Play {
 public:
  explicit Play(ByteView script);
  // To the script's end. The destructor ends both sides in the state that they are in.
  void Run();

 private:
  void Take(Step step);
  bool TakeOnClient(Step step);
  bool TakeOnWire(Step step);
  bool TakeOnCarrier(Step step);
  void TakeOnServer(Step step);

  void Meet(SSL_SESSION* resumed);
  void MeetAgain();
  void Exchange();
  void CollectOutput();
  void Deliver(size_t most);
  void Send(std::string bytes);
  void Prepend();
  void ReadAsClient(size_t most);
  bool disturbed() const;
  // The server insists on the client's certificate, and the client has none.
  bool lacks_certificate() const;
  void Conclude();

  Input input_;
  const uint8_t client_options_;
  const uint8_t server_options_;
  size_t meetings_ = 0;
  std::optional<TlsClient> client_;
  std::optional<Server> server_;
  std::unique_ptr<Carrier> carrier_;
  Wire wire_;
  bool is_disturbed_ = false;  // the sides cannot come to an end that both agree on
  bool is_fresh_ = true;       // nothing was sent and no function of the server was called
};

}  // namespace openssl_async::fuzz
