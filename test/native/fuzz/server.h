// A connection, and what it must keep to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tls/server_connection.h"
#include "witness.h"

namespace openssl_async::fuzz {

// Bits of a server's settings. The lowest four are those of TlsServerFlag.
struct ServerOption {
  enum : uint8_t { kProtocols = 16, kNames = 32, kSmallBuffer = 64, kMemory = 128 };
};

class Server {
 public:
  Server(uint8_t options, UniqueSocket socket);
  Server(uint8_t options, std::unique_ptr<MemoryTransport> memory);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Witness& witness() const { return witness_; }
  const Connection& connection() const { return *connection_; }
  // Bytes of plaintext that went in.
  size_t sent() const { return sent_; }

  void Prepend(ByteView bytes);
  void Run(bool readable, bool writable);
  // Turns without readiness, while it has more to do.
  void RunMore(size_t most_turns);
  // As a loop does: turns while the socket is ready for what is wanted, or there is more to do.
  void RunAll();
  // --- Without a socket
  size_t Feed(ByteView bytes);
  // It has taken all that it was given, or has told that it wants the rest.
  bool wants_input() const { return !refused_ || witness_.inputs_wanted() > inputs_wanted_; }
  void FeedEnd();
  std::string TakeOutput();
  void SetCarried();

  void SetPaused(bool paused);
  void Write(size_t size);
  void End();
  void TimeOut();
  // What was told of is kept; the connection goes on.
  void KeepSessions();
  // The last session that was kept.
  const std::string& session() const { return session_; }
  // One of an earlier connection.
  void SetSession(std::string session) { session_ = std::move(session); }
  // See AnswerOption.
  void Answer(uint8_t options);

 private:
  struct Ready {
    bool read = false;
    bool write = false;
    bool hang_up = false;
  };

  explicit Server(uint8_t options);
  template <typename Transport>
  void Make(Transport transport);
  Ready Poll() const;
  void HangUp();
  void BeforeCall();
  void AfterCall();

  std::shared_ptr<ServerSettings> settings_;
  std::shared_ptr<Listener> listener_;
  TransportBuffers buffers_;
  Witness witness_;
  std::optional<ServerConnection> connection_;
  MemoryTransport* memory_ = nullptr;  // the connection's
  bool refused_ = false;               // some of what was fed
  size_t inputs_wanted_ = 0;           // before that
  std::string session_;
  size_t sent_ = 0;
};

// Bits of an answer to TlsEventKind::kAsking.
struct AnswerOption {
  enum : uint8_t { kContext = 1, kChooses = 2, kH2 = 4, kUnknownProtocol = 8, kSession = 16, kStatus = 32 };
};

}  // namespace openssl_async::fuzz
