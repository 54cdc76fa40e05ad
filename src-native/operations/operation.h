// One call of a crypto operation. Prepared on the loop's thread, run inline, on a pool thread or on a job's stack,
// finished on the loop's thread. Its memory is used again for later calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "operations/contract.h"
#include "operations/operation_spec.h"

namespace openssl_async {

// Nanoseconds of a monotonic clock, which Operation's times use too.
uint64_t NowNs();

class Operation {
 public:
  Operation() = default;
  ~Operation() { Clear(); }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Sets the call's arguments. The inputs are borrowed until CopyInputs().
  void Prepare(std::shared_ptr<OperationSpec> spec, const ByteView* inputs, size_t input_count, const double* numbers,
               size_t number_count);
  // Copies the inputs, for a call that goes on after its caller has returned. False when there is no memory.
  [[nodiscard]] bool CopyInputs();
  // Any thread or stack. `started_ns` saves a look at the clock where the time is known.
  void Run(uint64_t started_ns) noexcept;
  void Run() noexcept { Run(NowNs()); }
  // Prepares the call to run another way, and forgets its result.
  void Restart(std::shared_ptr<OperationSpec> spec);
  // Wipes everything.
  void Clear();
  // The bytes that Clear() would wipe. MoveMemories() moves them to `memory`, for somebody else to wipe.
  static constexpr size_t kMemories = 3;  // the inputs and each output
  size_t OwnBytes() const;
  void MoveMemories(SecretBytes (&memory)[kMemories]);

  OperationSpec& spec() const { return *spec_; }
  size_t work_bytes() const { return spec_->WorkBytes(*this); }

  // --- The call's arguments, for its spec
  ByteView input(size_t index) const { return inputs_[index]; }
  // NaN when absent.
  double number(size_t index) const { return numbers_[index]; }
  int integer(size_t index) const { return static_cast<int>(numbers_[index]); }
  size_t size(size_t index) const { return static_cast<size_t>(numbers_[index]); }

  // --- The call's output, written by its spec
  // Makes an output `size` bytes long. Null when there is no memory.
  unsigned char* Reserve(size_t index, size_t size) {
    return outputs_[index].Resize(size) ? outputs_[index].data() : nullptr;
  }
  SecretBytes& output(size_t index) { return outputs_[index]; }
  void set_value(int32_t value) { value_ = value; }
  // Sets the error where OpenSSL gives none. Returns false.
  bool Fail(const char* code, const char* message);

  // --- The result
  bool ok() const { return ok_; }
  int32_t value() const { return value_; }
  const Error& error() const { return *error_; }
  // The times when Run() began and ended, pauses included.
  uint64_t started_ns() const { return started_ns_; }
  uint64_t ended_ns() const { return ended_ns_; }
  // Fails the call with a complete error, also when it did not get to Run().
  void SetError(Error error);

 private:
  std::shared_ptr<OperationSpec> spec_;
  std::array<ByteView, kMaxInputs> inputs_ = {};
  std::array<double, kMaxNumbers> numbers_ = {};
  SecretBytes storage_;
  std::array<SecretBytes, kMaxOutputs> outputs_;
  bool ok_ = false;
  int32_t value_ = 0;
  std::unique_ptr<Error> error_;
  uint64_t started_ns_ = 0;
  uint64_t ended_ns_ = 0;
};

}  // namespace openssl_async
