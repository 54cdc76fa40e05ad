// Checks what a connection tells, as it arrives by way of a batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tls/batch_sink.h"

namespace openssl_async::fuzz {

class Witness {
 public:
  explicit Witness(uint32_t server_flags);

  ConnectionEvents& events() { return sink_; }
  // Around each function of the connection that may tell something.
  void BeginTurn();
  void EndTurn();

  // Bytes of plaintext that came; all of them were checked.
  size_t received() const { return received_; }
  bool secure() const { return secure_; }
  bool ended() const { return ended_; }
  bool truncated() const { return truncated_; }
  bool failed() const { return failed_; }
  // --- Without a socket
  // How often it was told that there is output, or that there is room for input again.
  size_t outputs() const { return outputs_; }
  size_t inputs_wanted() const { return inputs_wanted_; }
  void SetMayWantInput(bool may) { may_want_input_ = may; }
  // Counts what was told, to see progress.
  size_t told() const { return told_; }

 private:
  void Read(const int32_t* words);
  void ReadPlaintext(ByteView bytes);
  void ReadKeyLog(const std::string& line) const;

  const bool asks_;
  const bool allows_renegotiation_;
  const bool logs_keys_;
  // No more than a turn needs, at its exact size.
  std::vector<int32_t> words_;
  std::vector<unsigned char> slab_;
  BatchSink sink_;
  size_t received_ = 0;
  size_t received_in_turn_ = 0;
  size_t told_ = 0;
  size_t outputs_ = 0;
  size_t inputs_wanted_ = 0;
  size_t renegotiations_ = 0;  // that have begun
  bool may_want_input_ = false;
  bool asked_ = false;
  bool secure_ = false;
  bool ended_ = false;
  bool truncated_ = false;
  bool failed_ = false;
};

}  // namespace openssl_async::fuzz
