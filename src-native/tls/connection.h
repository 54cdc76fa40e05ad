// The server's side of one TLS connection. It knows no event loop and no thread: its owner tells it when the socket is
// ready, and is told what came of that.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/job_owner.h"
#include "tls/client_hello.h"
#include "tls/contract.h"
#include "tls/hello_answer.h"
#include "tls/listener.h"
#include "tls/memory_transport.h"
#include "tls/server_settings.h"
#include "tls/session_details.h"
#include "tls/socket.h"
#include "tls/transport.h"

namespace openssl_async {

class Connection;

// What a connection tells. Nobody calls back into a connection from here: what is told is kept until the turn is over.
class ConnectionEvents {
 public:
  // Memory for plaintext; at least Connection::kTurnBytes at the begin of a turn.
  virtual unsigned char* Room(size_t* size) = 0;
  // The first bytes of the room are plaintext now.
  virtual void OnData(Connection& connection, size_t size) = 0;
  virtual void OnKeyLog(Connection& connection, const char* line) = 0;
  // Kinds of events that have no bytes.
  virtual void OnEvent(Connection& connection, TlsEventKind kind, int32_t value) = 0;

 protected:
  ~ConnectionEvents() = default;
};

class Connection {
 public:
  // The most plaintext of one turn, so that every connection has its turns.
  static constexpr size_t kTurnBytes = 48 * 1024;

  Connection(UniqueSocket socket, Admission admission);
  Connection(std::unique_ptr<Transport> transport, Admission admission);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Call it before the first turn on a thread. `id` is the thread's name for the connection.
  void Enter(uint32_t id, TlsPlace place, TransportBuffers& buffers, ConnectionEvents& events);

  uint32_t id() const { return id_; }
  Admission& admission() { return admission_; }
  bool claimed() const { return admission_.claimed(); }
  uint64_t accepted_ms() const { return accepted_ms_; }
  Listener& listener() const { return admission_.listener(); }
  // -1 without a socket.
  int fd() const { return transport_->fd(); }
  const ServerSettings& settings() const { return *settings_; }
  bool handshaking() const { return state_ < State::kOpen; }
  // The client has not said what it wants yet.
  bool silent() const { return state_ <= State::kHello; }

  // --- Handshakes beyond ServerSettings::max_handshakes
  bool waits_for_room() const { return state_ == State::kWaiting; }
  // Goes on; false while there is no room.
  bool ComeIn();

  // --- Handshakes that take so little that the way to a thread and back would cost more
  // On a thread: the handshake is to begin on the event loop.
  bool wants_loop() const { return state_ == State::kLoopDue; }
  // On the event loop: whether the handshake is to go on here.
  bool StaysOnLoop();

  // --- Keys that may pause. Their handshakes go on in jobs, on the event loop.
  bool wants_job() const { return state_ == State::kJobDue; }
  void BeginJob(JobId id);
  // On the job's stack.
  void RunJob();
  // The job has ended.
  void CountPauses(uint32_t pauses) { step_pauses_ = pauses; }
  // Follows, in a turn of the connection. Returns the job's pauses.
  uint32_t EndJob();
  // Until EndJob(), the connection may not be destroyed.
  bool is_in_job() const { return job_ != kNoJobId; }
  // Whose key signs, of a connection that wants a job.
  TlsContext& signer() const { return identity_ == nullptr ? *context_ : *identity_; }
  JobId job() const { return job_; }
  // The peer gets and sends nothing from here on.
  void Cut();

  // Null before the client's hello was read.
  SSL* ssl() const { return ssl_.get(); }
  const ClientHello& hello() const { return hello_; }
  // Of a handshake that is done: where it ran, and how long it took from the hello on.
  TlsPlace handshake_place() const { return handshake_place_; }
  uint64_t handshake_ns() const { return handshake_ns_; }
  uint32_t pauses() const { return pauses_; }
  // OpenSSL's errors of a failure.
  const std::vector<std::string>& failure() const { return failure_; }

  // Bytes that somebody else has read from the socket.
  void Prepend(ByteView bytes) {
    transport_->Prepend(bytes);
    hello_is_due_ = true;
  }

  // --- A connection without a socket. JavaScript carries its ciphertext: see TlsEventKind::kOutput and kInputWanted.
  // How many bytes were taken. Fewer: kInputWanted follows.
  size_t Feed(ByteView bytes);
  // The stream has ended.
  void FeedEnd();
  // The output so far; empty for none. SetCarried() follows when the stream has taken it.
  std::string TakeOutput();
  void SetCarried();

  // One turn: the socket may be ready, or the connection had more to do than one turn allows.
  void Run(bool readable, bool writable);
  // The peer has gone. A handshake that waits for somebody else is over; otherwise reading tells.
  void HangUp();
  // Which readiness matters; none of a connection that has failed, and not the one to read of a paused one.
  bool wants_to_read() const { return !paused_ && !ended_ && state_ != State::kFailed && !waits(); }
  // Only whether the peer has gone.
  bool wants_hang_up() const { return waits() && !ended_; }
  bool wants_to_write() const { return has_unsent() && !holds_output_; }
  // Ciphertext waits to leave: for the socket, or see SetSessionsKept().
  bool has_unsent() const { return transport_->pending() && state_ != State::kFailed; }
  // The loop is to wait for it. A connection that nobody reads, or whose peer has ended, keeps no process alive, as a
  // socket of libuv's that is not read.
  bool active() const { return handshaking() || wants_to_read() || wants_to_write(); }
  // It needs a turn although its socket may never be ready again.
  bool has_more() const;

  // Before the first turn: JavaScript knows of the client already.
  void SkipAccepted();
  // Goes on after TlsEventKind::kAccepted.
  void Proceed();
  // Goes on after TlsEventKind::kAsking.
  void TakeAnswer(HelloAnswer answer);
  // After TlsEventKind::kAskingKey: the name of the key.
  const std::string& key_identity() const { return answer_.key.identity; }
  // Goes on. Empty: there is no such key.
  void TakeKey(SecretText key);
  // Of a handshake of TLS 1.3 that is done: the client has shown that it has the key.
  bool shared_key() const {
    return gave_key_ && SSL_version(ssl_.get()) >= TLS1_3_VERSION && SSL_session_reused(ssl_.get()) == 1;
  }
  // Certificate and key of another context than the one that is chosen. Without effect once the context is.
  void SetIdentity(std::shared_ptr<TlsContext> identity);
  // Sessions that the handshake has made, for users who keep them. Nothing is sent before SetSessionsKept(); before
  // TLS 1.3 the handshake ends only then, see TlsEventKind::kNewSessions.
  std::vector<NewSession> TakeNewSessions() { return std::exchange(new_sessions_, {}); }
  void SetSessionsKept();
  // Ends a handshake that takes too long.
  void TimeOut();
  void SetPaused(bool paused) { paused_ = paused; }
  // How many bytes were taken. Fewer: the rest is due after TlsEventKind::kDrained, which follows also when all were
  // taken and has_unsent().
  size_t Write(ByteView plaintext) { return Write(&plaintext, 1); }
  size_t Write(const ByteView* pieces, size_t count);
  // Ends our side, after what was written.
  void End();

  // Callbacks of OpenSSL
  static int SelectProtocol(SSL* ssl, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                            unsigned offered_size, void* unused);
  static void LogKey(const SSL* ssl, const char* line);
  static int KeepSession(SSL* ssl, SSL_SESSION* session);
  static SSL_SESSION* FindSession(SSL* ssl, const unsigned char* id, int size, int* takes_reference);
  static int GiveStatus(SSL* ssl, void* unused);
  static unsigned GiveKey(SSL* ssl, const char* identity, unsigned char* key, unsigned most);

 private:
  enum class State {
    kAccepted,
    kHello,
    kWaiting,
    kAsking,
    kHandshaking,
    kAskingKey,
    kLoopDue,
    kJobDue,
    kInJob,
    kKeeping,
    kOpen,
    kFailed
  };

  // For somebody else than the peer.
  bool waits() const {
    return state_ == State::kAccepted || state_ == State::kWaiting || state_ == State::kAsking ||
           state_ == State::kAskingKey || state_ == State::kJobDue || state_ == State::kInJob ||
           state_ == State::kKeeping;
  }
  void ReadHello();
  bool Asks() const;
  void Choose(const std::shared_ptr<TlsContext>& context);
  bool Begin();
  bool Prepare();
  bool AsksForKey();
  void Shake();
  bool TakeInlineShare();
  void TakeStep();
  void TellStep();
  void Open();
  void ReadPlaintext();
  void Finish();
  void Flush();
  void OnSocketError(int error);
  void TellCarrier();
  void FailOfOpenssl();
  void Fail(int32_t reason);
  void TellEnd(bool truncated);

  Admission admission_;  // left last
  const std::shared_ptr<const ServerSettings> settings_;
  const uint64_t accepted_ms_;
  uint32_t id_ = 0;
  TlsPlace place_ = TlsPlace::kLoop;
  ConnectionEvents* events_ = nullptr;
  const std::unique_ptr<Transport> transport_;
  SslPointer ssl_;  // freed before the transport
  std::shared_ptr<TlsContext> context_;
  std::shared_ptr<TlsContext> identity_;  // null: the context's own
  ClientHello hello_;
  HelloAnswer answer_;  // without its context, which is context_
  std::vector<NewSession> new_sessions_;
  std::vector<std::string> failure_;
  State state_ = State::kHello;
  JobId job_ = kNoJobId;
  int step_status_ = SSL_ERROR_NONE;        // of the handshake's last step
  std::vector<std::string> lines_of_step_;  // of the key log, until the step's job has ended
  TlsPlace handshake_place_ = TlsPlace::kLoop;
  InlineBudget::Share inline_share_;  // until the first step is taken
  uint64_t busy_ns_ = 0;              // in OpenSSL's part of the handshake
  uint64_t began_ns_ = 0;
  uint64_t handshake_ns_ = 0;
  uint32_t pauses_ = 0;
  uint32_t step_pauses_ = 0;
  int32_t reason_ = 0;            // of a failure that waits for a turn of its own
  bool accept_is_due_ = false;    // kAccepted was not told yet
  bool failure_is_due_ = false;   // see Fail()
  bool hello_is_due_ = false;     // bytes came that were not looked at
  bool carrier_is_due_ = false;   // JavaScript has carried output, or told of the end
  bool awaits_identity_ = false;  // of a shared key: see AsksForKey()
  bool asked_for_key_ = false;
  bool gave_key_ = false;
  bool kept_is_due_ = false;   // SetSessionsKept() was called
  bool holds_output_ = false;  // until then
  bool told_ = false;          // of plaintext or of the end, in this turn
  bool paused_ = false;
  bool ended_ = false;            // the peer sends no more
  bool ending_ = false;           // we send no more
  bool waits_for_drain_ = false;  // kDrained is due when everything has left
};

}  // namespace openssl_async
