// One side of one TLS connection. It knows no event loop and no thread: its owner tells it when the socket is ready,
// and is told what came of that. What clients and servers do differently is in ClientConnection and ServerConnection.
#pragma once

#include <openssl/err.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/job_owner.h"
#include "tls/context.h"
#include "tls/contract.h"
#include "tls/handshake_terms.h"
#include "tls/inline_budget.h"
#include "tls/memory_transport.h"
#include "tls/session_details.h"
#include "tls/socket.h"
#include "tls/transport.h"

namespace openssl_async {

class Connection;
class ClientConnection;
class ServerConnection;

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

  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Null for the other side.
  virtual ClientConnection* client() { return nullptr; }
  virtual ServerConnection* server() { return nullptr; }
  const ServerConnection* server() const { return const_cast<Connection*>(this)->server(); }
  const ClientConnection* client() const { return const_cast<Connection*>(this)->client(); }
  // Whose connection it is, for JavaScript; 0 for a client's.
  virtual uint32_t listener_id() const { return 0; }
  virtual const HandshakeTerms& terms() const = 0;
  // JavaScript knows of it.
  virtual bool claimed() const { return true; }

  // Call it before the first turn on a thread. `id` is the thread's name for the connection.
  void Enter(uint32_t id, TlsPlace place, TransportBuffers& buffers, ConnectionEvents& events);

  uint32_t id() const { return id_; }
  // When the handshake takes too long; 0 for never.
  uint64_t deadline_ms() const {
    const uint64_t timeout = terms().handshake_timeout_ms;
    return timeout == 0 ? 0 : created_ms_ + timeout;
  }
  // -1 without a socket.
  int fd() const { return transport_->fd(); }
  bool handshaking() const { return state_ < State::kOpen && !established_; }
  // Open before the handshake is done: what is read may be a replay. See ServerConnection::ReadEarlyData().
  bool early() const { return is_early_; }
  bool unfinished() const { return handshaking() || is_early_; }
  // The client has not said what it wants yet.
  bool silent() const { return state_ <= State::kHello; }
  // Too many handshakes are under way: see ServerConnection::ComeIn().
  bool waits_for_room() const { return state_ == State::kWaiting; }

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

  // It is open, nobody holds it, and nothing is owed to its writer: another thread can go on with it.
  bool may_leave() const {
    return state_ == State::kOpen && !is_early_ && !ending_ && !holds_output_ && !waits_for_drain_ &&
           !handshake_is_due_ && !keeps_to_loop();
  }
  bool paused() const { return paused_; }

  // Null before the handshake has begun.
  SSL* ssl() const { return ssl_.get(); }
  // Of a handshake that is done: where it ran, and how long it took from the hello on.
  TlsPlace handshake_place() const { return handshake_place_; }
  uint64_t handshake_ns() const { return handshake_ns_; }
  uint32_t pauses() const { return pauses_; }
  // As VerifyResult() has it.
  virtual long verify_result() const { return VerifyResult(ssl_.get()); }
  // OpenSSL's errors of a failure, with a code where the error is ours; and the job in which it came, or kNoJobId.
  const Error& failure() const { return failure_; }
  JobId failed_job() const { return failed_job_; }

  // Bytes that somebody else has read from the socket.
  void Prepend(ByteView bytes) {
    transport_->Prepend(bytes);
    input_is_new_ = true;
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
  bool wants_to_read() const {
    // The end of the handshake comes behind early data, of which there is little.
    return (!paused_ || is_early_) && !ended_ && state_ != State::kFailed && !waits();
  }
  // Only whether the peer has gone.
  bool wants_hang_up() const { return waits() && !ended_; }
  bool wants_to_write() const { return transport_->pending() && state_ != State::kFailed && !holds_output_; }
  // Ciphertext waits to leave: for the socket, or for somebody who holds it.
  bool has_unsent() const { return (transport_->pending() || waits_for_renegotiation_) && state_ != State::kFailed; }
  // The loop is to wait for it. A connection that nobody reads, or whose peer has ended, keeps no process alive, as a
  // socket of libuv's that is not read.
  bool active() const { return handshaking() || wants_to_read() || wants_to_write(); }
  // It needs a turn although its socket may never be ready again.
  bool has_more() const;

  // Sessions that came of the handshake, or after it.
  std::vector<NewSession> TakeNewSessions() { return std::exchange(new_sessions_, {}); }
  // Ends a handshake that takes too long.
  void TimeOut();
  void SetPaused(bool paused) { paused_ = paused; }
  // How many bytes were taken. Fewer: the rest is due after TlsEventKind::kDrained, which follows also when all were
  // taken and has_unsent().
  size_t Write(ByteView plaintext) { return Write(&plaintext, 1); }
  size_t Write(const ByteView* pieces, size_t count);
  // Ends our side, after what was written. Call it when the handshake is done.
  void End();

  // --- Later handshakes: renegotiation before TLS 1.3; with it, a server's request for the client's certificate
  // Begins one, in which clients are asked for their certificate, and have to give one. TlsEventKind::kRenegotiated
  // follows when it is done. OpenSSL's errors, where it cannot be.
  std::vector<std::string> Renegotiate(bool requests, bool rejects);
  // As Renegotiate(), on a thread: an event tells of the errors.
  void RenegotiateAndTell(bool requests, bool rejects);
  // The next turn signs for one.
  bool shakes_again() const { return handshake_is_due_; }
  // Of the other side's, which is allowed to clients of TlsServerFlag::kAllowsRenegotiation, and to servers.
  void ForbidRenegotiation();

  // Writes messages to stderr from here on, where OpenSSL can.
  void Trace();

  // Callbacks of OpenSSL, which belong to a context and so to connections of either side.
  static Connection& From(const SSL* ssl) { return *static_cast<Connection*>(SSL_get_ex_data(ssl, 0)); }
  static void LogKey(const SSL* ssl, const char* line);
  static int KeepSession(SSL* ssl, SSL_SESSION* session);
  static int ExchangeStatus(SSL* ssl, void* unused);

 protected:
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

  explicit Connection(std::unique_ptr<Transport> transport);
  // Frees OpenSSL's object and the socket.
  void Close();

  // --- For the sides, in the order in which it happens
  // The first thing of a turn.
  virtual void BeginTurn() {}
  // In State::kHello.
  virtual void ReadHello() {}
  // Before a step of the handshake. False when it has to wait, or has failed.
  virtual bool MayStep() { return true; }
  // Before the first step. It may run in a job.
  virtual bool Prepare(SSL* ssl) = 0;
  // A step, on the thread or in the job of the handshake. As SSL_do_handshake(); 1 also for early().
  virtual int Step(SSL* ssl) { return SSL_do_handshake(ssl); }
  // After a step, or when the handshake fails before its end.
  virtual void OnStep() {}
  // The handshake is done.
  virtual void Complete() { Open(); }
  // While early(): instead of reading plaintext.
  virtual void ReadEarlyData() {}
  // Before plaintext is told: what else its records have brought.
  virtual void TellBesides() {}
  // It would take this time of the processor.
  virtual RunTime& handshake_time() const = 0;
  // Null for no time on the event loop.
  virtual std::shared_ptr<InlineBudget> inline_budget() const = 0;
  virtual bool logs_keys() const = 0;
  // The peer may begin later handshakes, each of which is told of: see TlsEventKind::kRenegotiating.
  virtual bool lets_peer_renegotiate() const { return false; }
  // Something is to be done although nothing comes.
  virtual bool has_task() const { return false; }
  // The input is of no use before more of it comes.
  virtual bool awaits_input() const { return state_ == State::kHello; }
  // OpenSSL has made a session.
  virtual void OnNewSession(SSL_SESSION* session) = 0;
  // Of the certificate, as SSL_CTX_set_tlsext_status_cb() has it.
  virtual int OnStatus(SSL* ssl) = 0;

  // JavaScript decides after the handshake, as in Node.js. What a bad signature leaves in the error queue would be
  // taken for the error of the step, or of the next one.
  static int AcceptAnyCertificate(int, X509_STORE_CTX*) {
    ERR_clear_error();
    return 1;
  }
  void Open();
  void Fail(int32_t reason);
  void KeepFailure();  // OpenSSL's errors of this thread
  void FailOfOpenssl();
  // The handshake goes on behind early data, and is done then.
  void SetEarly() { is_early_ = true; }
  void EndEarly();
  ConnectionEvents& events() { return *events_; }
  void TellData(size_t size);
  void Tell(TlsEventKind kind) { events_->OnEvent(*this, kind, 0); }
  Transport& transport() { return *transport_; }
  // Nothing leaves before ReleaseOutput().
  void HoldOutput() { holds_output_ = true; }
  void ReleaseOutput() {
    if (std::exchange(holds_output_, false)) released_is_due_ = true;
  }
  // As ReleaseOutput(), at once: JavaScript may write next.
  void SendHeld();
  State state() const { return state_; }
  void set_state(State state) { state_ = state; }
  const std::shared_ptr<TlsContext>& context() const { return context_; }
  // Chooses it.
  void set_context(std::shared_ptr<TlsContext> context) { context_ = std::move(context); }
  TlsContext* identity() const { return identity_.get(); }
  void set_identity(std::shared_ptr<TlsContext> identity) { identity_ = std::move(identity); }
  std::vector<NewSession>& new_sessions() { return new_sessions_; }
  void set_input_is_new(bool is_new) { input_is_new_ = is_new; }

 private:
  // For somebody else than the peer.
  bool waits() const {
    return state_ == State::kAccepted || state_ == State::kWaiting || state_ == State::kAsking ||
           state_ == State::kAskingKey || state_ == State::kJobDue || state_ == State::kInJob ||
           state_ == State::kKeeping;
  }
  // A write has failed, which is to be told: see OnWriteError().
  bool is_cut_off() const { return write_error_ != 0 && state_ != State::kFailed; }
  // A key that pauses may have to sign in a later handshake, which goes on in a job then.
  bool may_need_job() const { return signer().may_pause(); }
  // Jobs are on the event loop. Servers refuse handshakes that would need one elsewhere.
  bool keeps_to_loop() const { return may_need_job() && (client() != nullptr || signs_later_); }
  static void FollowHandshake(const SSL* ssl, int where, int unused);
  static int AwaitTurn(SSL* ssl, void* unused);
  static int RefuseToSign(SSL* ssl, void* unused);
  int BeginRenegotiation();
  bool Begin();
  void Shake();
  bool TakeInlineShare();
  void TakeStep();
  void TellStep();
  void ReadPlaintext();
  void Finish();
  void Flush();
  void OnSocketError(int error);
  void OnWriteError(int error);
  void OnUnwritten(int status);
  void Receive();
  void ReceiveLast();
  void TellCarrier();
  void TellEnd(bool truncated);
  void FollowHandshakes();
  void LetPeerRenegotiate();
  bool AwaitsRenegotiation();
  bool TellPeersHandshake();
  void EndLaterStep();
  void TellRenegotiation();

  const uint64_t created_ms_;
  uint32_t id_ = 0;
  TlsPlace place_ = TlsPlace::kLoop;
  ConnectionEvents* events_ = nullptr;
  std::unique_ptr<Transport> transport_;
  SslPointer ssl_;  // freed before the transport
  std::shared_ptr<TlsContext> context_;
  std::shared_ptr<TlsContext> identity_;  // null: the context's own
  std::vector<NewSession> new_sessions_;
  Error failure_;
  JobId failed_job_ = kNoJobId;
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
  int write_error_ = 0;
  bool has_last_input_ = false;   // after a write error: nothing more has come
  int32_t reason_ = 0;            // of a failure that waits for a turn of its own
  bool failure_is_due_ = false;   // see Fail()
  bool input_is_new_ = false;     // bytes came that were not looked at
  bool carrier_is_due_ = false;   // JavaScript has carried output, or told of the end
  bool holds_output_ = false;     // until ReleaseOutput()
  bool released_is_due_ = false;  // it was called
  bool told_ = false;             // of plaintext or of the end, in this turn
  bool paused_ = false;
  bool ended_ = false;   // the peer sends no more
  bool ending_ = false;  // we send no more
  bool is_early_ = false;
  bool waits_for_drain_ = false;  // kDrained is due when everything has left
  bool traces_ = false;
  // --- Of later handshakes
  bool established_ = false;  // the first one is done
  bool signs_later_ = false;  // a server that has asked for a renegotiation, or lets clients begin one
  bool peer_may_begin_ = false;
  bool peer_has_begun_ = false;           // which nobody was told of yet
  bool handshake_is_due_ = false;         // it was told: the next turn goes on
  bool renegotiates_ = false;             // one is under way
  bool renegotiated_ = false;             // its last message has come
  bool waits_for_renegotiation_ = false;  // plaintext, or our end, does
  bool ends_after_renegotiation_ = false;
};

}  // namespace openssl_async
