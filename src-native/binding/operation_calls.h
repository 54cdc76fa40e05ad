// Calls of operations, from JavaScript and back.
//
// JavaScript describes a call in arrays that both sides know (CallWord). A call that runs at once is answered there.
// The results of other calls come in batches: eight words each (OperationWord) in the array of all events, and the
// bytes of the outputs in an array beside it.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "binding/attachment.h"
#include "placement/operation_runner.h"

namespace openssl_async {

class Environment;
class Exports;

// Adds to the exports of operations.
void AddOperationCallExports(Exports& operations);

class OperationCalls final : public Attachment, private OperationRunner::Delegate {
 public:
  static Result<std::unique_ptr<OperationCalls>> Create(uv_loop_t* loop, Environment& environment);
  OperationCalls(const OperationCalls&) = delete;
  OperationCalls& operator=(const OperationCalls&) = delete;

  OperationRunner& runner() const { return *runner_; }

  // The arrays that describe a call, and answer it if it runs at once.
  struct CallBuffers {
    double* words = nullptr;
    unsigned char* bytes = nullptr;
    size_t size = 0;
    int32_t* result = nullptr;
  };
  void SetBuffers(Napi::Float64Array words, Napi::Uint8Array bytes, Napi::Int32Array result, Napi::Uint8Array outputs);
  const CallBuffers& buffers() const { return buffers_; }

  void Close(std::function<void()> done) override { runner_->Close(std::move(done)); }
  bool IsIdle() const override { return runner_->idle(); }

 private:
  explicit OperationCalls(Environment& environment) : environment_(environment) {}
  void OnOperations(OperationCall* const* calls, size_t count) override;
  void OnEnds(JobId id) override;

  Environment& environment_;
  std::unique_ptr<OperationRunner> runner_;
  CallBuffers buffers_;
  struct {
    unsigned char* data = nullptr;
    size_t size = 0;
  } outputs_;
  Napi::ObjectReference outputs_array_;
};

}  // namespace openssl_async
