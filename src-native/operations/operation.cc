#include "operations/operation.h"

#include <chrono>
#include <limits>
#include <new>

#include "openssl/error_queue.h"

namespace openssl_async {

uint64_t NowNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

size_t OperationSpec::WorkBytes(const Operation& operation) const {
  size_t bytes = 0;
  for (size_t i = 0; i < kMaxInputs; ++i) bytes += operation.input(i).size;
  return bytes;
}

void Operation::Prepare(std::shared_ptr<OperationSpec> spec, const ByteView* inputs, size_t input_count,
                        const double* numbers, size_t number_count) {
  for (size_t i = 0; i < kMaxInputs; ++i) inputs_[i] = i < input_count ? inputs[i] : ByteView();
  for (size_t i = 0; i < kMaxNumbers; ++i) {
    numbers_[i] = i < number_count ? numbers[i] : std::numeric_limits<double>::quiet_NaN();
  }
  Restart(std::move(spec));
}

bool Operation::CopyInputs() {
  size_t total = 0;
  for (const ByteView& input : inputs_) total += input.size;
  if (!storage_.Resize(total)) return false;
  unsigned char* at = storage_.data();
  for (ByteView& input : inputs_) {
    if (!input.present()) continue;
    if (input.size > 0) memcpy(at, input.data, input.size);
    input.data = at;
    at += input.size;
  }
  return true;
}

void Operation::Restart(std::shared_ptr<OperationSpec> spec) {
  spec_ = std::move(spec);
  ok_ = false;
  value_ = 0;
  error_.reset();
  started_ns_ = ended_ns_ = 0;
}

void Operation::Run(uint64_t started_ns) noexcept {
  started_ns_ = started_ns;
  {
    const ErrorQueueScope errors;
    try {
      ok_ = spec_->Run(*this);
      if (!ok_ && !error_) {
        const ErrorQueue queue = ErrorQueue::Take();
        // OpenSSL 3.0 adds nothing when a provider fails without an error; later versions name the provider's function.
        const char* message =
            queue.empty() ? "The operation failed: neither OpenSSL nor the provider said why" : "The operation failed";
        error_ = std::make_unique<Error>(queue.ToError("ERR_CRYPTO_OPERATION_FAILED", message));
      }
    } catch (const std::bad_alloc&) {
      ok_ = false;
      Fail("ERR_MEMORY_ALLOCATION_FAILED", "There is not enough memory for the operation");
    }
  }
  ended_ns_ = NowNs();
}

void Operation::Clear() {
  spec_.reset();
  inputs_ = {};
  storage_.Clear();
  for (SecretBytes& output : outputs_) output.Clear();
  error_.reset();
}

size_t Operation::OwnBytes() const {
  size_t bytes = storage_.size();
  for (const SecretBytes& output : outputs_) bytes += output.size();
  return bytes;
}

void Operation::MoveMemories(SecretBytes (&memory)[kMemories]) {
  inputs_ = {};
  memory[0] = std::move(storage_);
  for (size_t i = 0; i < kMaxOutputs; ++i) memory[i + 1] = std::move(outputs_[i]);
}

bool Operation::Fail(const char* code, const char* message) {
  error_ = std::make_unique<Error>(Error{code, message, {}});
  return false;
}

void Operation::SetError(Error error) {
  ok_ = false;
  error_ = std::make_unique<Error>(std::move(error));
}

}  // namespace openssl_async
