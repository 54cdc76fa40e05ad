#include "witness.h"

#include "feature.h"
#include "pattern.h"
#include "require.h"

namespace openssl_async::fuzz {

namespace {

constexpr size_t kEventsOfTurn = 24;
constexpr size_t kKeyLogBytesOfTurn = 8 * 1024;

bool Has(uint32_t flags, TlsServerFlag flag) { return (flags & static_cast<uint32_t>(flag)) != 0; }

}  // namespace

Witness::Witness(uint32_t server_flags)
    : asks_(Has(server_flags, TlsServerFlag::kAsks)),
      allows_renegotiation_(Has(server_flags, TlsServerFlag::kAllowsRenegotiation)),
      logs_keys_(Has(server_flags, TlsServerFlag::kLogsKeys)),
      words_(kEventsOfTurn * kWordsPerTlsEvent),
      slab_(Connection::kTurnBytes + kKeyLogBytesOfTurn),
      sink_(
          [this] {
            return BatchSink::Memory{words_.data(), words_.size(), slab_.data(), slab_.size()};
          },
          [this](size_t count) {
            for (size_t i = 0; i < count; ++i) Read(words_.data() + i * kWordsPerTlsEvent);
          }) {}

void Witness::BeginTurn() {
  received_in_turn_ = 0;
  Require(sink_.Prepare(), "the memory of a turn is enough");
}

void Witness::EndTurn() { sink_.Deliver(); }

void Witness::Read(const int32_t* words) {
  const auto kind = static_cast<TlsEventKind>(words[TlsEventWord::kKind]);
  // The alert of a failure is output.
  Require(!failed_ || kind == TlsEventKind::kOutput, "nothing is told after a failure");
  ++told_;
  const int32_t value = words[TlsEventWord::kValue];
  const auto size = static_cast<size_t>(words[TlsEventWord::kSize]);
  const ByteView bytes = {slab_.data() + words[TlsEventWord::kOffset], size};
  MarkFeature(FeatureKind::kEvent, static_cast<uint32_t>(kind) << 8 | static_cast<uint8_t>(value));
  switch (kind) {
    case TlsEventKind::kAsking:
      Require(!asked_ && !secure_, "a connection asks once, before its handshake");
      Require(asks_, "only a server that was told to ask does");
      asked_ = true;
      break;
    case TlsEventKind::kNewSessions:
      Require(!secure_, "sessions are told of before the end of a handshake");
      break;
    case TlsEventKind::kSecure:
      Require(!secure_, "a handshake is done once");
      secure_ = true;
      break;
    case TlsEventKind::kFailed:
      failed_ = true;
      break;
    case TlsEventKind::kData:
      ReadPlaintext(bytes);
      break;
    case TlsEventKind::kEnd:
      Require(secure_, "the end comes after the handshake");
      Require(!ended_, "a connection ends once");
      ended_ = true;
      truncated_ = value != 0;
      break;
    case TlsEventKind::kDrained:
      Require(secure_, "a drain comes after the handshake");
      break;
    case TlsEventKind::kRenegotiating:
      Require(secure_ && allows_renegotiation_, "clients begin later handshakes where they may");
      ++renegotiations_;
      break;
    case TlsEventKind::kRenegotiated:
      Require(renegotiations_ > 0, "a handshake that is done was told of when it began");
      --renegotiations_;
      break;
    case TlsEventKind::kOutput:
      ++outputs_;
      break;
    case TlsEventKind::kInputWanted:
      Require(may_want_input_, "input is wanted once, after some was refused");
      may_want_input_ = false;
      ++inputs_wanted_;
      break;
    case TlsEventKind::kKeyLog:
      ReadKeyLog(std::string(reinterpret_cast<const char*>(bytes.data), bytes.size));
      break;
    default:
      Require(false, "a connection tells nothing else");
  }
}

void Witness::ReadPlaintext(ByteView bytes) {
  Require(secure_, "plaintext comes after the handshake");
  Require(!ended_, "plaintext comes before the end");
  Require(bytes.size > 0, "plaintext is not empty");
  received_in_turn_ += bytes.size;
  Require(received_in_turn_ <= Connection::kTurnBytes, "a turn takes no more than its share");
  Require(PlaintextOfClient().Matches(received_, bytes), "the plaintext is the client's");
  received_ += bytes.size;
}

void Witness::ReadKeyLog(const std::string& line) const {
  Require(logs_keys_, "keys are told when the server logs them");
  Require(!line.empty() && line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_ 0123456789abcdef") == std::string::npos,
          "a line of the key log is text");
}

}  // namespace openssl_async::fuzz
