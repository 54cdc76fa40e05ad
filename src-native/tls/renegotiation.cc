// Handshakes of a connection that is open: renegotiation before TLS 1.3, and with it a server's request for the
// client's certificate. Their messages come and go while plaintext is read and written.
#include <utility>

#include "openssl/error_queue.h"
#include "tls/connection.h"
#include "tls/handshake_state.h"

namespace openssl_async {

namespace {

constexpr const char* kRefused = "error:0A000153:SSL routines::no renegotiation";

}  // namespace

// --- Callbacks of OpenSSL

// OpenSSL calls it at each message of a handshake, and at none of plaintext. A handshake without the peer's last
// message is one that we have begun, or refused.
void Connection::FollowHandshake(const SSL* ssl, int where, int) {
  if ((where & (SSL_CB_LOOP | SSL_CB_HANDSHAKE_START)) == 0) return;
  Connection& self = From(ssl);
  self.renegotiates_ = true;
  // The client's answer to our request is none of its own.
  const bool begins = (where & SSL_CB_HANDSHAKE_START) != 0 && SSL_renegotiate_pending(ssl) == 0;
  if (begins && self.peer_may_begin_) self.peer_has_begun_ = true;
  if (HasReadFinished(ssl)) self.renegotiated_ = true;
}

// Before our key signs. A handshake of the client's own stops there until it was told of. One whose key may pause stops
// outside of a job, and goes on in one.
int Connection::AwaitTurn(SSL* ssl, void*) {
  constexpr int kGoesOn = 1;
  constexpr int kStops = -1;
  const Connection& self = From(ssl);
  if (self.peer_has_begun_) return kStops;
  return !self.may_need_job() || self.is_in_job() ? kGoesOn : kStops;
}

int Connection::RefuseToSign(SSL*, void*) { return 0; }

void Connection::FollowHandshakes() {
  established_ = true;
  if (terms().holds_http2 && ProtocolOf(ssl_.get()) == "h2") {
    ForbidRenegotiation();  // RFC 9113, as any request for a certificate
    if (client() != nullptr) SSL_set_cert_cb(ssl_.get(), &Connection::RefuseToSign, nullptr);
    return;
  }
  SSL_set_info_callback(ssl_.get(), &Connection::FollowHandshake);
  if (lets_peer_renegotiate()) LetPeerRenegotiate();
  if (may_need_job() || peer_may_begin_) SSL_set_cert_cb(ssl_.get(), &Connection::AwaitTurn, nullptr);
}

// There is none in TLS 1.3.
void Connection::LetPeerRenegotiate() {
  SSL* const ssl = ssl_.get();
  if (SSL_version(ssl) >= TLS1_3_VERSION) return;
  peer_may_begin_ = true;
  signs_later_ |= may_need_job();
  SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
  // No handshake passes AwaitTurn() by with a session.
  SSL_set_options(ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
}

// --- Beginning

std::vector<std::string> Connection::Renegotiate(bool requests, bool rejects) {
  const ErrorQueueScope scope;
  SSL* const ssl = ssl_.get();
  if (state_ != State::kOpen || is_early_ || ending_ || is_cut_off()) return {kRefused};
  if (ProtocolOf(ssl) == "h2") return {kRefused};
  told_ = true;  // it is JavaScript that asks: a failure is told in the next turn
  const bool is_server = server() != nullptr;
  const bool asks = is_server && requests && SSL_version(ssl) >= TLS1_3_VERSION;
  const bool needs_job = is_server && !asks && may_need_job();
  if (needs_job && place_ == TlsPlace::kThread) return {kRefused};
  signs_later_ |= needs_job;
  const auto options = SSL_get_options(ssl);
  if (is_server) {
    const int mode = requests ? SSL_VERIFY_PEER | (rejects ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0) : SSL_VERIFY_NONE;
    SSL_set_verify(ssl, mode, &AcceptAnyCertificate);
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);  // for our own only
    SSL_set_options(ssl,
                    SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);  // clients offer sessions, without certificates
  }
  const int began = asks ? SSL_verify_client_post_handshake(ssl) : SSL_renegotiate(ssl);
  SSL_set_options(ssl, options & SSL_OP_NO_RENEGOTIATION);
  if (began != 1) return ErrorQueue::Take().Lines();
  const int result = BeginRenegotiation();
  renegotiates_ = true;
  renegotiated_ = false;  // only our request has left
  const int status = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, result);
  if (status != SSL_ERROR_NONE && status != SSL_ERROR_WANT_READ) {
    FailOfOpenssl();
  } else {
    TellRenegotiation();
  }
  Finish();
  return {};
}

// A server's request is written. A client reads on, and plaintext may come before the server's answer: it is looked at,
// and stays for the next turn.
int Connection::BeginRenegotiation() {
  if (server() != nullptr) return SSL_do_handshake(ssl_.get());
  unsigned char first = 0;
  return SSL_peek(ssl_.get(), &first, 1);
}

void Connection::RenegotiateAndTell(bool requests, bool rejects) {
  std::vector<std::string> errors = Renegotiate(requests, rejects);
  if (errors.empty()) return;
  failure_ = Error{"", "", std::move(errors)};
  events_->OnEvent(*this, TlsEventKind::kRenegotiated, 1);
}

void Connection::ForbidRenegotiation() {
  if (ssl_ != nullptr) SSL_set_options(ssl_.get(), SSL_OP_NO_RENEGOTIATION);
}

// --- Going on

// Whether plaintext has to wait for messages of the peer's.
bool Connection::AwaitsRenegotiation() {
  if (!established_ || !renegotiates_ || state_ == State::kFailed || (ended_ && state_ == State::kOpen)) return false;
  renegotiates_ = state_ != State::kOpen || SSL_in_init(ssl_.get()) != 0 || renegotiated_;
  waits_for_renegotiation_ = state_ != State::kOpen || SSL_in_init(ssl_.get()) != 0;
  if (waits_for_renegotiation_) waits_for_drain_ = true;
  return waits_for_renegotiation_;
}

// After records were read. Whether the peer has begun a handshake, which is told of now.
bool Connection::TellPeersHandshake() {
  if (!std::exchange(peer_has_begun_, false)) return false;
  told_ = true;  // whoever hears of it may destroy the connection
  Tell(TlsEventKind::kRenegotiating);
  return true;
}

// A step in a job is over. What follows is read beside plaintext.
void Connection::EndLaterStep() {
  state_ = State::kOpen;
  if (step_status_ != SSL_ERROR_NONE && step_status_ != SSL_ERROR_WANT_READ) {
    Fail(static_cast<int32_t>(TlsFailure::kOpenssl));
  } else {
    TellRenegotiation();
  }
}

// After messages of the peer's. One that has ended does not answer, and nothing waits for it.
void Connection::TellRenegotiation() {
  if (state_ != State::kOpen || (SSL_in_init(ssl_.get()) != 0 && !ended_)) return;
  renegotiates_ = false;
  waits_for_renegotiation_ = false;
  if (std::exchange(renegotiated_, false)) events_->OnEvent(*this, TlsEventKind::kRenegotiated, 0);
  if (!std::exchange(ends_after_renegotiation_, false)) return;
  End();
  waits_for_drain_ = state_ != State::kFailed && !is_cut_off();  // end() was told that it follows
}

}  // namespace openssl_async
