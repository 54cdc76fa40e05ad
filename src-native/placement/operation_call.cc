#include "placement/operation_call.h"

#include <utility>

namespace openssl_async {

namespace {

thread_local const OperationCall* running = nullptr;

}  // namespace

const OperationCall* OperationCall::Running() { return running; }

void OperationCall::Run() noexcept {
  if (blocking_ != nullptr && !blocking_->Begin()) {
    blocking_.reset();
    operation_.SetError({"ERR_ASYNC_ENGINE", "The process is ending", {}});
    return;
  }
  running = this;
  operation_.Run();
  running = nullptr;
}

void OperationCall::Done() noexcept {
  const std::shared_ptr<CompletionQueue> completions = completions_;  // the call may be gone as soon as it is pushed
  const std::shared_ptr<BlockingCalls> blocking = std::move(blocking_);
  if (!completions->Push(this, is_followed)) delete this;  // its environment has ended
  if (blocking != nullptr) blocking->End();
}

}  // namespace openssl_async
