// JavaScript carries the ciphertext between OpenSSL and a stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "tls/transport.h"

namespace openssl_async {

class MemoryTransport final : public Transport {
 public:
  // The most ciphertext of the peer that is kept. A hello that fills it is too long, and waits for no more.
  static constexpr size_t kMostInput = 64 * 1024;

  // How many bytes were taken; after fewer than all, WantsInput() is due.
  size_t Feed(ByteView bytes);
  // The peer sends no more.
  void End() { SetEnded(); }
  // Nobody reads on.
  void Drop() {
    DropInput();
    Settle();
  }
  // True once when bytes were refused and there is room again.
  bool WantsInput();

  // Output waits for JavaScript, which has none in its hands.
  bool has_output() const { return !output_.empty() && !is_carried_; }
  // All output; it is pending until SetCarried().
  std::string TakeOutput();
  void SetCarried() { is_carried_ = false; }

  MemoryTransport* memory() override { return this; }
  int Receive() override { return 0; }
  // Whole records, and less than kMostInput with what they add.
  size_t PortionOf(size_t rest) const override { return std::min<size_t>(rest, 48 * 1024); }
  int Flush() override { return 0; }
  void KeepOutput() override {}
  bool pending() const override { return is_carried_ || !output_.empty(); }
  void Cut() override { EndOutput(); }

 private:
  std::string& output() override { return output_; }
  void TellEnd() override {}

  std::string output_;
  bool is_carried_ = false;
  bool has_refused_ = false;
};

}  // namespace openssl_async
