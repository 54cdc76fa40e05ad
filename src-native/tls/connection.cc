#include "tls/connection.h"

#include <uv.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/memory.h"
#include "openssl/error_queue.h"
#include "tls/plaintext_pieces.h"

namespace openssl_async {

Connection::Connection(std::unique_ptr<Transport> transport)
    : created_ms_(uv_hrtime() / 1'000'000), transport_(std::move(transport)) {}

Connection::~Connection() { Close(); }

void Connection::Close() {
  const ErrorQueueScope scope;
  ssl_.reset();
  transport_.reset();
}

void Connection::Enter(uint32_t id, TlsPlace place, TransportBuffers& buffers, ConnectionEvents& events) {
  id_ = id;
  place_ = place;
  events_ = &events;
  transport_->SetBuffers(buffers);
  if (place == TlsPlace::kLoop && state_ == State::kLoopDue) state_ = State::kHandshaking;
}

bool Connection::has_more() const {
  if (failure_is_due_ || is_cut_off() || carrier_is_due_ || released_is_due_ || has_task()) return true;
  if (!wants_to_read()) return false;
  if (awaits_input()) return input_is_new_;
  return handshake_is_due_ || transport_->input().size > 0 || transport_->ended() ||
         (ssl_ != nullptr && SSL_pending(ssl_.get()) > 0);
}

void Connection::Run(bool readable, bool writable) {
  told_ = false;
  if (std::exchange(failure_is_due_, false)) {
    events_->OnEvent(*this, TlsEventKind::kFailed, reason_);
    return;
  }
  BeginTurn();
  if (std::exchange(carrier_is_due_, false)) {
    writable = true;
    if (transport_->ended()) HangUp();
  }
  if (state_ == State::kFailed) return;
  const ErrorQueueScope scope;
  if (std::exchange(released_is_due_, false)) {
    writable = true;
    if (state_ == State::kKeeping) Open();
  }
  if (writable) Flush();
  if (is_cut_off()) {
    ReceiveLast();
  } else if (readable && wants_to_read()) {
    Receive();
  }
  if (wants_to_read()) {
    if (state_ == State::kHello) ReadHello();
    if (state_ == State::kHandshaking) Shake();
    if (is_early_ && state_ == State::kOpen) ReadEarlyData();
    if (state_ == State::kOpen && !paused_ && !is_early_) ReadPlaintext();
  }
  if (renegotiates_) TellRenegotiation();
  if (is_cut_off() && (has_last_input_ || !wants_to_read())) Fail(write_error_);
  Finish();
  TellCarrier();
}

void Connection::HangUp() {
  if (!wants_hang_up()) return;
  ended_ = true;
  told_ = false;
  Fail(static_cast<int32_t>(TlsFailure::kHandshakeEnded));
}

// Nothing of this connection may stay in the buffers of all.
void Connection::Finish() {
  Flush();
  transport_->Settle();
}

void Connection::Flush() {
  if (holds_output_) {
    transport_->KeepOutput();
    return;
  }
  const int error = transport_->Flush();
  if (error != 0) {
    OnWriteError(error);
  } else if (!has_unsent()) {
    if (ending_) transport_->EndOutput();
    if (std::exchange(waits_for_drain_, false)) events_->OnEvent(*this, TlsEventKind::kDrained, 0);
  }
}

void Connection::OnSocketError(int error) {
  if (state_ != State::kFailed) Fail(error);
}

// The peer may have said why it closed, in an alert that nobody has read yet: the failure waits until everything is
// read that has come.
void Connection::OnWriteError(int error) {
  if (!wants_to_read()) return OnSocketError(error);
  write_error_ = error;
  waits_for_drain_ = false;
  transport_->EndOutput();
}

void Connection::Receive() {
  if (const int error = transport_->Receive(); error != 0) OnSocketError(error);
}

void Connection::ReceiveLast() {
  const size_t known = transport_->input().size;
  if (known >= kTurnBytes || !wants_to_read()) return;
  Receive();
  has_last_input_ = transport_->input().size == known;
}

void Connection::Fail(int32_t reason) {
  state_ = State::kFailed;
  // Its job goes on, and its key is still asked: clients that leave make no room for more.
  if (!is_in_job()) OnStep();
  reason_ = reason;
  holds_output_ = false;
  waits_for_drain_ = false;  // nothing is told after a failure
  // Streams lose plaintext and its end when an error comes with them: it gets a turn of its own.
  failure_is_due_ = told_;
  if (!failure_is_due_) events_->OnEvent(*this, TlsEventKind::kFailed, reason);
}

void Connection::KeepFailure() {
  failure_ = ErrorQueue::Take().ToError("", "");
  failed_job_ = job_;
}

void Connection::FailOfOpenssl() {
  KeepFailure();
  Fail(static_cast<int32_t>(TlsFailure::kOpenssl));
}

void Connection::TimeOut() {
  if (unfinished()) Fail(static_cast<int32_t>(TlsFailure::kHandshakeTimeout));
}

// --- The handshake

bool Connection::Begin() {
  began_ns_ = uv_hrtime();
  ssl_.reset(SSL_new(context_->get()));
  if (BioPointer bio = ssl_ == nullptr ? nullptr : transport_->NewBio()) {
    BIO* const shared = bio.release();
    SSL_set_bio(ssl_.get(), shared, shared);
    SSL_set_ex_data(ssl_.get(), 0, this);
    if (traces_) Trace();
    if (Prepare(ssl_.get())) return true;
  }
  step_status_ = SSL_ERROR_SSL;
  KeepFailure();
  return false;
}

void Connection::Shake() {
  if (!MayStep()) return;
  if (signer().may_pause()) {
    state_ = State::kJobDue;
    return;
  }
  if (ssl_ == nullptr && place_ == TlsPlace::kThread && TakeInlineShare()) {
    state_ = State::kLoopDue;
    return;
  }
  if (ssl_ != nullptr || Begin()) TakeStep();
  inline_share_.reset();
  TellStep();
}

bool Connection::StaysOnLoop() {
  if (state_ != State::kHandshaking) return false;
  return signer().may_pause() || (ssl_ == nullptr && TakeInlineShare());
}

bool Connection::TakeInlineShare() {
  const uint32_t expected_ns = handshake_time().expected_ns();
  if (!signer().is_local() || expected_ns == RunTime::kUnknown) return false;
  inline_share_ = InlineBudget::Take(inline_budget(), expected_ns, terms().max_inline_ns);
  return inline_share_.taken();
}

void Connection::BeginJob(JobId id) {
  state_ = State::kInJob;
  job_ = id;
  transport_->Settle();
  transport_->SetAlone(true);
}

void Connection::RunJob() {
  if (ssl_ != nullptr || Begin()) TakeStep();
}

uint32_t Connection::EndJob() {
  pauses_ += step_pauses_;
  job_ = kNoJobId;
  told_ = false;
  transport_->SetAlone(false);
  for (const std::string& line : std::exchange(lines_of_step_, {})) events_->OnKeyLog(*this, line.c_str());
  if (state_ == State::kInJob) {
    state_ = State::kHandshaking;
    if (established_) {
      EndLaterStep();
    } else {
      TellStep();
    }
  }
  const ErrorQueueScope scope;
  Finish();
  TellCarrier();
  return step_pauses_;
}

void Connection::Cut() { transport_->Cut(); }

// The step may run in a job, and JavaScript is told of nothing there.
void Connection::TakeStep() {
  const uint64_t began_ns = uv_hrtime();
  const int result = Step(ssl_.get());
  busy_ns_ += uv_hrtime() - began_ns;
  step_status_ = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  if (step_status_ != SSL_ERROR_NONE && step_status_ != SSL_ERROR_WANT_READ) KeepFailure();
}

void Connection::TellStep() {
  OnStep();
  RunTime& time = handshake_time();
  if (step_status_ == SSL_ERROR_NONE) {
    handshake_place_ = place_;
    time.Record(busy_ns_);
    return Complete();
  }
  if (step_status_ != SSL_ERROR_WANT_READ) {
    Fail(static_cast<int32_t>(TlsFailure::kOpenssl));
  } else if (transport_->ended()) {
    Fail(static_cast<int32_t>(TlsFailure::kHandshakeEnded));
  } else if (busy_ns_ > time.expected_ns()) {
    time.Record(busy_ns_);  // clients that never end their expensive handshakes make themselves known
  }
}

void Connection::Open() {
  state_ = State::kOpen;
  if (!is_early_) FollowHandshakes();
  if (terms().holds_http2) paused_ = ProtocolOf(ssl_.get()) == "h2";
  handshake_ns_ = uv_hrtime() - began_ns_;
  events_->OnEvent(*this, TlsEventKind::kSecure, is_early_ ? 1 : 0);
}

void Connection::EndEarly() {
  is_early_ = false;
  FollowHandshakes();
  handshake_ns_ = uv_hrtime() - began_ns_;
  events_->OnEvent(*this, TlsEventKind::kCompleted, 0);
}

// --- Callbacks of OpenSSL, in the middle of a step, on the thread of the step or in its job

// Peers renew keys as often as they like, while plaintext is read: a turn has no room for those lines. Readers of key
// logs know the later secrets from the first ones.
void Connection::LogKey(const SSL* ssl, const char* line) {
  if (strstr(line, "_TRAFFIC_SECRET_N ") != nullptr) return;
  auto* const self = static_cast<Connection*>(SSL_get_ex_data(ssl, 0));
  if (self == nullptr || !self->logs_keys()) return;
  if (self->is_in_job()) {
    self->lines_of_step_.emplace_back(line);
  } else {
    self->events_->OnKeyLog(*self, line);
  }
}

int Connection::KeepSession(SSL* ssl, SSL_SESSION* session) {
  constexpr int kNotTaken = 0;
  OrDieOfMemory([&] { From(ssl).OnNewSession(session); });
  return kNotTaken;
}

int Connection::ExchangeStatus(SSL* ssl, void*) { return From(ssl).OnStatus(ssl); }

// --- Records

void Connection::ReadPlaintext() {
  size_t taken = 0;
  size_t room = 0;
  handshake_is_due_ = false;
  unsigned char* const memory = events_->Room(&room);
  room = std::min(room, kTurnBytes);
  int result = 1;
  while (taken < room) {
    size_t count = 0;
    result = SSL_read_ex(ssl_.get(), memory + taken, room - taken, &count);
    if (result != 1) break;
    taken += count;
    // Another call would find nothing.
    if (transport_->input().size == 0 && !transport_->ended() && SSL_pending(ssl_.get()) == 0) break;
  }
  const int status = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
  TellBesides();
  TellData(taken);
  const bool begins = TellPeersHandshake();
  if (status == SSL_ERROR_ZERO_RETURN) {
    TellEnd(false);
  } else if (status == SSL_ERROR_WANT_READ) {
    if (transport_->ended() && !is_cut_off()) TellEnd(true);
  } else if (status == SSL_ERROR_WANT_X509_LOOKUP && begins) {
    handshake_is_due_ = true;
  } else if (status == SSL_ERROR_WANT_X509_LOOKUP) {
    state_ = State::kJobDue;
  } else if (status != SSL_ERROR_NONE) {
    FailOfOpenssl();
  }
}

void Connection::TellData(size_t size) {
  if (size == 0) return;
  told_ = true;
  events_->OnData(*this, size);
}

void Connection::TellEnd(bool truncated) {
  told_ = true;
  ended_ = true;
  events_->OnEvent(*this, TlsEventKind::kEnd, truncated ? 1 : 0);
}

size_t Connection::Write(const ByteView* pieces, size_t count) {
  if (ending_ || is_cut_off() || AwaitsRenegotiation() || state_ != State::kOpen) return 0;
  const ErrorQueueScope scope;
  told_ = true;  // it is JavaScript that writes: a failure is told in the next turn
  PlaintextPieces plaintext(pieces, count);
  const size_t size = plaintext.rest();
  while (plaintext.rest() > 0 && !transport_->pending() && state_ == State::kOpen && !is_cut_off()) {
    const size_t rest_after = plaintext.rest() - transport_->PortionOf(plaintext.rest());
    int result = 1;
    while (plaintext.rest() > rest_after && result == 1) {
      const ByteView next = plaintext.Next(plaintext.rest() - rest_after);
      size_t taken = 0;
      result = (is_early_ ? &SSL_write_early_data : &SSL_write_ex)(ssl_.get(), next.data, next.size, &taken);
      if (result == 1) plaintext.Skip(taken);
    }
    if (result != 1) OnUnwritten(SSL_get_error(ssl_.get(), result));
    Finish();
    if (waits_for_renegotiation_) break;
  }
  waits_for_drain_ = has_unsent();
  return size - plaintext.rest();
}

void Connection::OnUnwritten(int status) {
  if (status != SSL_ERROR_WANT_READ) return FailOfOpenssl();
  if (!AwaitsRenegotiation()) Fail(static_cast<int32_t>(TlsFailure::kHandshakeEnded));
}

void Connection::End() {
  if (ending_ || is_early_ || is_cut_off()) return;
  ends_after_renegotiation_ = AwaitsRenegotiation();
  if (ends_after_renegotiation_ || state_ != State::kOpen) return;
  const ErrorQueueScope scope;
  told_ = true;
  ending_ = true;
  SSL_shutdown(ssl_.get());
  waits_for_drain_ = true;
  if (holds_output_) {
    transport_->KeepOutput();
  } else if (const int error = transport_->Flush(); error != 0) {
    OnWriteError(error);
  } else if (!transport_->pending()) {
    transport_->EndOutput();
    waits_for_drain_ = false;
  }
  transport_->Settle();
}

void Connection::SendHeld() {
  if (!std::exchange(holds_output_, false)) return;
  told_ = true;
  Finish();
}

// --- Without a socket

size_t Connection::Feed(ByteView bytes) {
  MemoryTransport* const memory = transport_->memory();
  // Nobody reads on.
  if (memory == nullptr || ended_ || state_ == State::kFailed) return bytes.size;
  input_is_new_ = true;
  return memory->Feed(bytes);
}

void Connection::FeedEnd() {
  MemoryTransport* const memory = transport_->memory();
  if (memory == nullptr) return;
  memory->End();
  input_is_new_ = true;
  carrier_is_due_ = true;
}

std::string Connection::TakeOutput() {
  MemoryTransport* const memory = transport_->memory();
  return memory != nullptr && memory->has_output() && !holds_output_ ? memory->TakeOutput() : std::string();
}

void Connection::SetCarried() {
  MemoryTransport* const memory = transport_->memory();
  if (memory == nullptr) return;
  memory->SetCarried();
  carrier_is_due_ = true;
}

// At the end of a turn.
void Connection::TellCarrier() {
  MemoryTransport* const memory = transport_->memory();
  if (memory == nullptr) return;
  if (memory->has_output() && !holds_output_) events_->OnEvent(*this, TlsEventKind::kOutput, 0);
  if (ended_) memory->Drop();
  if (transport_->ended() && wants_hang_up()) carrier_is_due_ = true;
  if (memory->WantsInput()) events_->OnEvent(*this, TlsEventKind::kInputWanted, 0);
}

}  // namespace openssl_async
