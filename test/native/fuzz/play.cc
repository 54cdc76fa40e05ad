#include "play.h"

#include <algorithm>
#include <utility>

#include "require.h"

namespace openssl_async::fuzz {

namespace {

constexpr size_t kMostSteps = 400;
constexpr size_t kMostMeetings = 4;

ByteView ViewOf(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

}  // namespace

Play::Play(ByteView script) : input_(script), client_options_(input_.Byte()), server_options_(input_.Byte()) {
  Meet(nullptr);
}

void Play::Run() {
  for (size_t steps = 0; steps < kMostSteps && !input_.empty(); ++steps) {
    Take(static_cast<Step>(input_.Byte() % static_cast<uint8_t>(Step::kCount)));
    CollectOutput();
  }
  if (!disturbed()) Conclude();
}

void Play::Take(Step step) {
  if (step == Step::kExchange) {
    Exchange();
  } else if (!TakeOnClient(step) && !TakeOnWire(step) && !TakeOnCarrier(step)) {
    TakeOnServer(step);
  }
}

bool Play::TakeOnClient(Step step) {
  switch (step) {
    case Step::kClientAdvances:
      client_->Advance();
      return true;
    case Step::kClientWrites:
      client_->Write(input_.Number());
      return true;
    case Step::kClientEnds:
      client_->End();
      return true;
    case Step::kClientRenews:
      client_->Renew((input_.Byte() & 1) != 0);
      return true;
    case Step::kClientReads:
      ReadAsClient(input_.Number());
      return true;
    default:
      return false;
  }
}

// Arguments are read by statements of their own: their order counts.
bool Play::TakeOnWire(Step step) {
  switch (step) {
    case Step::kDrop:
      wire_.Drop(input_.Byte());
      return true;
    case Step::kDuplicate:
      wire_.Duplicate(input_.Byte());
      return true;
    case Step::kSwap: {
      const uint8_t one = input_.Byte();
      wire_.Swap(one, input_.Byte());
      return true;
    }
    case Step::kFlip: {
      const uint8_t index = input_.Byte();
      const uint16_t place = input_.Number();
      wire_.Flip(index, place, input_.Byte());
      return true;
    }
    case Step::kTruncate: {
      const uint8_t index = input_.Byte();
      const uint16_t size = input_.Number();
      wire_.Truncate(index, size, (input_.Byte() & 1) != 0);
      return true;
    }
    case Step::kSplit: {
      const uint8_t index = input_.Byte();
      wire_.Split(index, input_.Number());
      return true;
    }
    case Step::kInsert: {
      const uint8_t index = input_.Byte();
      const uint8_t size = input_.Byte();
      wire_.Insert(index, input_.Bytes(size));
      return true;
    }
    default:
      return false;
  }
}

bool Play::TakeOnCarrier(Step step) {
  switch (step) {
    case Step::kDeliver:
      Deliver(SIZE_MAX);
      return true;
    case Step::kDeliverBytes:
      Deliver(input_.Number());
      return true;
    case Step::kDeliverRecord:
      Send(wire_.TakeRecord());
      return true;
    case Step::kPrepend:
      Prepend();
      return true;
    case Step::kTellCarried:
      carrier_->TellCarried();
      return true;
    case Step::kHalfClose:
      is_disturbed_ = true;
      carrier_->HalfClose();
      return true;
    case Step::kClose:
      is_disturbed_ = true;
      carrier_->Close();
      return true;
    case Step::kMeetAgain:
      MeetAgain();
      return true;
    default:
      return false;
  }
}

void Play::TakeOnServer(Step step) {
  if (step != Step::kPause && step != Step::kResume) is_fresh_ = false;
  switch (step) {
    case Step::kRun: {
      const uint8_t ready = input_.Byte();
      server_->Run((ready & 1) != 0, (ready & 2) != 0);
      break;
    }
    case Step::kRunMore:
      server_->RunMore(input_.Byte());
      break;
    case Step::kRunAll:
      server_->RunAll();
      break;
    case Step::kPause:
      server_->SetPaused(true);
      break;
    case Step::kResume:
      server_->SetPaused(false);
      break;
    case Step::kServerWrites:
      server_->Write(input_.Number());
      break;
    case Step::kServerEnds:
      server_->End();
      break;
    case Step::kTimeOut:
      is_disturbed_ = is_disturbed_ || server_->connection().handshaking();
      server_->TimeOut();
      break;
    default: {
      const uint8_t options = input_.Byte();
      if ((options & (AnswerOption::kChooses | AnswerOption::kSession)) != 0) is_disturbed_ = true;
      server_->Answer(options);
    }
  }
}

void Play::Meet(SSL_SESSION* resumed) {
  std::string session = server_.has_value() ? server_->session() : std::string();
  carrier_.reset();  // it knows the server
  carrier_ = MakeCarrier(server_options_, server_);
  server_->SetSession(std::move(session));
  client_.emplace(client_options_, resumed);
  wire_ = Wire();
  is_disturbed_ = false;
  is_fresh_ = true;
}

void Play::MeetAgain() {
  if (++meetings_ >= kMostMeetings) return;
  const SslSessionPointer session(SSL_get1_session(client_->ssl()));
  const bool resumes = session != nullptr && SSL_SESSION_is_resumable(session.get()) == 1;
  Meet(resumes ? session.get() : nullptr);
}

void Play::Exchange() {
  constexpr int kRounds = 4;
  is_fresh_ = false;
  for (int round = 0; round < kRounds; ++round) {
    client_->Advance();
    CollectOutput();
    if (carrier_->wants_bytes()) Deliver(SIZE_MAX);
    server_->RunAll();
    ReadAsClient(SIZE_MAX);
    carrier_->TellCarried();
  }
}

void Play::CollectOutput() { wire_.Append(client_->TakeOutput()); }

void Play::Deliver(size_t most) { Send(wire_.Take(most)); }

// The rest stays on the wire where the carrier takes no more.
void Play::Send(std::string bytes) {
  if (bytes.empty() || !carrier_->is_open()) return;
  is_fresh_ = false;
  bytes.erase(0, carrier_->Send(ViewOf(bytes)));
  wire_.PutBack(std::move(bytes));
}

void Play::Prepend() {
  if (!is_fresh_) return;
  is_fresh_ = false;
  const std::string bytes = wire_.Take(SIZE_MAX);
  server_->Prepend(ViewOf(bytes));
}

void Play::ReadAsClient(size_t most) {
  while (carrier_->is_open() && most > 0) {
    const std::string bytes = carrier_->Receive(most);
    if (bytes.empty()) break;
    client_->Receive(ViewOf(bytes));
    most -= bytes.size();
  }
}

bool Play::disturbed() const { return is_disturbed_ || wire_.tampered() || client_->renegotiated(); }

bool Play::lacks_certificate() const {
  constexpr auto kRequests = static_cast<uint8_t>(TlsServerFlag::kRequestsCertificate);
  constexpr auto kRejects = static_cast<uint8_t>(TlsServerFlag::kRejectsUnauthorized);
  constexpr uint8_t kBoth = kRequests | kRejects;
  return (server_options_ & kBoth) == kBoth && (client_options_ & ClientOption::kCertificate) == 0;
}

// Nobody has done anything wrong: everything arrives.
void Play::Conclude() {
  constexpr int kMostRounds = 200;
  server_->SetPaused(false);
  for (int round = 0; round < kMostRounds; ++round) {
    const size_t told = server_->witness().told();
    const size_t received = client_->received();
    server_->Answer(0);
    Exchange();
    const bool is_quiet = wire_.empty() && !server_->connection().wants_to_write();
    if (is_quiet && told == server_->witness().told() && received == client_->received()) break;
  }
  const Witness& witness = server_->witness();
  if (lacks_certificate()) {
    Require(!witness.secure(), "a client without the certificate that is asked for is refused");
    return;
  }
  Require(!witness.failed(), "two sides that do nothing wrong do not fail");
  Require(witness.secure(), "two sides that do nothing wrong agree");
  Require(witness.received() == client_->sent(), "all of the client's plaintext arrives");
  Require(client_->received() == server_->sent(), "all of the server's plaintext arrives");
  Require(witness.ended() == client_->ended(), "the client's end arrives");
  Require(!witness.truncated(), "an announced end is no truncation");
}

}  // namespace openssl_async::fuzz
