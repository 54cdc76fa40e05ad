#include "server.h"

#include <fcntl.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "feature.h"
#include "identity.h"
#include "openssl/error_queue.h"
#include "pattern.h"
#include "require.h"
#include "tls/session_details.h"
#include "tls_client.h"

namespace openssl_async::fuzz {

namespace {

std::shared_ptr<ServerSettings> SettingsOf(uint8_t options) {
  static const std::shared_ptr<TlsContext> ec = MakeContext(KeyType::kEc);
  static const std::shared_ptr<TlsContext> rsa = MakeContext(KeyType::kRsa);
  constexpr uint8_t kFlags = 15;
  constexpr uint32_t kOfSessions = static_cast<uint32_t>(TlsServerFlag::kTellsSessions) |
                                   static_cast<uint32_t>(TlsServerFlag::kFindsSessions) |
                                   static_cast<uint32_t>(TlsServerFlag::kGivesStatus);
  auto settings = std::make_shared<ServerSettings>();
  settings->context = ec;
  settings->flags = options & kFlags;
  if (settings->Has(TlsServerFlag::kAsks)) settings->flags |= kOfSessions;
  if ((options & ServerOption::kProtocols) != 0) settings->protocols = "\x08http/1.1\x02h2";
  if ((options & ServerOption::kNames) != 0) {
    settings->names.push_back({"r*.test", rsa});
    settings->flags |= static_cast<uint32_t>(TlsServerFlag::kAllowsRenegotiation);
  }
  if (settings->Has(TlsServerFlag::kLogsKeys)) settings->LogKeys();
  return settings;
}

// Everything that JavaScript can ask for.
void ReadDetails(SSL* ssl) {
  for (const std::string& der : PeerCertificates(ssl)) Require(!der.empty(), "a certificate has bytes");
  Require(!OwnCertificate(ssl).empty(), "the server has a certificate");
  VerifyResult(ssl);
  // A renegotiation that has begun has not chosen yet.
  Require(!CipherOf(ssl).name.empty() || SSL_in_init(ssl) != 0, "a cipher has a name");
  const std::string protocol = ProtocolOf(ssl);
  Require(protocol.empty() || protocol == "h2" || protocol == "http/1.1", "the protocol is an offered one");
  SessionOf(ssl);
  TicketOf(ssl);
  FinishedOf(ssl, true);
  FinishedOf(ssl, false);
  SharedSignatureAlgorithms(ssl);
  ExportKeyingMaterial(ssl, 32, "label", "context", true);
}

}  // namespace

Server::Server(uint8_t options) : settings_(SettingsOf(options)), witness_(settings_->flags) {
  ASAN_POISON_MEMORY_REGION(buffers_.input.get(), TransportBuffers::kInputBytes);
}

Server::Server(uint8_t options, UniqueSocket socket) : Server(options) {
  if ((options & ServerOption::kSmallBuffer) != 0) {
    constexpr int kBytes = 8192;
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kBytes, sizeof(kBytes));
  }
  Make(std::move(socket));
}

Server::Server(uint8_t options, std::unique_ptr<MemoryTransport> memory) : Server(options) {
  memory_ = memory.get();
  Make(std::move(memory));
}

// The one place that knows what a connection is made of.
template <typename Transport>
void Server::Make(Transport transport) {
  listener_ = std::make_shared<Listener>(1, [] {});
  listener_->SetSettings(settings_);
  connection_.emplace(std::move(transport), Admission(listener_));
  connection_->Enter(1, TlsPlace::kLoop, buffers_, witness_.events());
}

Server::~Server() {
  const ErrorQueueScope scope;
  if (witness_.secure()) ReadDetails(connection_->ssl());
  const int fd = connection_->fd();
  connection_.reset();
  ASAN_UNPOISON_MEMORY_REGION(buffers_.input.get(), TransportBuffers::kInputBytes);
  if (fd >= 0) Require(fcntl(fd, F_GETFD) == -1, "the socket is closed");
  Require(listener_->live() == 0 && listener_->pending() == 0, "nobody counts the connection");
  listener_.reset();
  Require(settings_.use_count() == 1, "nobody keeps the settings");
}

void Server::Prepend(ByteView bytes) { connection_->Prepend(bytes); }

size_t Server::Feed(ByteView bytes) {
  // Memory of exactly this size, which is gone after the call.
  const std::vector<unsigned char> exact(bytes.data, bytes.data + bytes.size);
  BeforeCall();
  inputs_wanted_ = witness_.inputs_wanted();
  const size_t taken = connection_->Feed({exact.data(), exact.size()});
  Require(taken <= bytes.size, "no more is taken than was fed");
  Require(memory_->input().size <= MemoryTransport::kMostInput, "no more is kept than there is room for");
  refused_ = taken < bytes.size;
  witness_.SetMayWantInput(refused_);
  AfterCall();
  return taken;
}

void Server::FeedEnd() {
  BeforeCall();
  connection_->FeedEnd();
  AfterCall();
}

std::string Server::TakeOutput() {
  BeforeCall();
  std::string output = connection_->TakeOutput();
  Require(output.size() <= MemoryTransport::kMostInput, "a stream gets its output in pieces");
  AfterCall();
  return output;
}

void Server::SetCarried() {
  BeforeCall();
  connection_->SetCarried();
  AfterCall();
}

void Server::Run(bool readable, bool writable) {
  BeforeCall();
  ASAN_UNPOISON_MEMORY_REGION(buffers_.input.get(), TransportBuffers::kInputBytes);
  connection_->Run(readable, writable);
  // Another connection would overwrite it.
  ASAN_POISON_MEMORY_REGION(buffers_.input.get(), TransportBuffers::kInputBytes);
  const size_t outputs = witness_.outputs();
  AfterCall();
  if (memory_ == nullptr || !memory_->has_output() || !connection_->wants_to_write()) return;
  Require(witness_.outputs() == outputs + 1, "a turn tells of output once");
}

void Server::HangUp() {
  BeforeCall();
  connection_->HangUp();
  AfterCall();
}

void Server::KeepSessions() {
  BeforeCall();
  for (const NewSession& made : connection_->TakeNewSessions()) {
    Require(settings_->Has(TlsServerFlag::kTellsSessions), "only a server that keeps sessions is told of them");
    session_ = made.der.get();
  }
  connection_->SetSessionsKept();
  AfterCall();
}

void Server::RunMore(size_t most_turns) {
  for (size_t turns = 0; turns < most_turns && connection_->has_more(); ++turns) Run(false, false);
}

void Server::RunAll() {
  constexpr int kFarTooManyTurns = 1000;
  for (int turns = 0;; ++turns) {
    Require(turns < kFarTooManyTurns, "every turn leads on");
    KeepSessions();
    const Ready ready = Poll();
    if (!ready.read && !ready.write && !ready.hang_up && !connection_->has_more()) return;
    if (ready.hang_up) HangUp();
    Run(ready.read, ready.write);
  }
}

// As the hub's poller does it.
Server::Ready Server::Poll() const {
  constexpr short kRead = POLLIN | POLLRDHUP;
  if (memory_ != nullptr) return {};
  pollfd socket = {connection_->fd(), 0, 0};
  if (connection_->wants_to_read()) socket.events |= kRead;
  if (connection_->wants_to_write()) socket.events |= POLLOUT;
  if (connection_->wants_hang_up()) socket.events |= POLLRDHUP;
  if (socket.events == 0 || poll(&socket, 1, 0) != 1) return {};
  const bool is_broken = (socket.revents & (POLLERR | POLLHUP)) != 0;
  const bool hang_up = connection_->wants_hang_up() && (is_broken || (socket.revents & POLLRDHUP) != 0);
  return {is_broken || (socket.revents & kRead) != 0, is_broken || (socket.revents & POLLOUT) != 0, hang_up};
}

void Server::SetPaused(bool paused) { connection_->SetPaused(paused); }

void Server::Write(size_t size) {
  constexpr size_t kMost = 2 * 1024 * 1024;
  if (sent_ + size > kMost) return;
  BeforeCall();
  const ByteView plaintext = PlaintextOfServer().At(sent_, std::min(size, Pattern::kPeriod));
  const size_t taken = connection_->Write(plaintext);
  Require(taken <= plaintext.size, "no more is taken than was given");
  sent_ += taken;
  AfterCall();
}

void Server::End() {
  BeforeCall();
  connection_->End();
  AfterCall();
}

void Server::TimeOut() {
  BeforeCall();
  const bool handshaking = connection_->handshaking();
  connection_->TimeOut();
  AfterCall();
  Require(!handshaking || witness_.failed() || connection_->has_more(), "a handshake that took too long fails");
}

void Server::Answer(uint8_t options) {
  BeforeCall();
  const bool chooses = (options & AnswerOption::kChooses) != 0;
  std::string protocol;
  if ((options & AnswerOption::kH2) != 0) protocol = "h2";
  if ((options & AnswerOption::kUnknownProtocol) != 0) protocol = "spdy/3";
  const bool gives_context = (options & AnswerOption::kContext) != 0;
  HelloAnswer answer;
  if (gives_context) answer.context = settings_->context;
  answer.chose_protocol = chooses;
  answer.protocol = protocol;
  if ((options & AnswerOption::kSession) != 0) {
    answer.session = ToSession({reinterpret_cast<const unsigned char*>(session_.data()), session_.size()});
  }
  if ((options & AnswerOption::kStatus) != 0) answer.status = "status";
  connection_->TakeAnswer(std::move(answer));
  AfterCall();
}

void Server::BeforeCall() {
  ERR_clear_error();  // the client's
  witness_.BeginTurn();
}

void Server::AfterCall() {
  witness_.EndTurn();
  Require(buffers_.output.empty(), "nothing stays in the buffers of all connections");
  Require(ERR_peek_error() == 0, "no error stays in the thread's queue");
  for (const std::string& line : connection_->failure().openssl_errors)
    MarkFeature(FeatureKind::kFailure, HashOf(line));
  if (connection_->ssl() != nullptr) {
    MarkFeature(FeatureKind::kState, static_cast<uint32_t>(SSL_get_state(connection_->ssl())));
  }
}

}  // namespace openssl_async::fuzz
