#include "binding/operation_calls.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "binding/contract.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "openssl/fips.h"

namespace openssl_async {

namespace {

using Info = const Napi::CallbackInfo&;

Napi::Value ToJs(Napi::Env env, CallStatus status) { return Napi::Number::New(env, static_cast<int32_t>(status)); }

// A call's inputs in the array of bytes, which are wiped however the call ends.
class StagedInputs {
 public:
  explicit StagedInputs(unsigned char* bytes) : bytes_(bytes) {}
  ~StagedInputs() { Clear(); }
  StagedInputs(const StagedInputs&) = delete;
  StagedInputs& operator=(const StagedInputs&) = delete;

  size_t size() const { return size_; }

  ByteView Take(size_t size) {
    const ByteView input = {bytes_ + size_, size};
    size_ += size;
    return input;
  }

  void Clear() { Wipe(bytes_, std::exchange(size_, 0)); }

 private:
  unsigned char* bytes_;
  size_t size_ = 0;
};

// The array of results, one behind the other. Results are wiped once JavaScript has read them.
class OutputArena {
 public:
  OutputArena(unsigned char* data, size_t size) : data_(data), size_(size) {}

  // Larger results are fetched one by one, without a copy.
  static constexpr size_t kMostBytes = 16 * 1024;

  static size_t BytesOf(OperationCall& call) {
    if (!call.operation().ok() || call.abandoned()) return 0;
    size_t bytes = 0;
    for (size_t i = 0; i < kMaxOutputs; ++i) bytes += call.operation().output(i).size();
    return bytes;
  }
  bool HasRoomFor(OperationCall& call) const {
    const size_t bytes = BytesOf(call);
    return bytes > kMostBytes || bytes <= size_ - used_;
  }
  size_t Put(ByteView bytes) {
    const size_t offset = used_;
    if (bytes.size > 0) memcpy(data_ + offset, bytes.data, bytes.size);
    used_ += bytes.size;
    return offset;
  }
  void Wipe() {
    openssl_async::Wipe(data_, used_);
    used_ = 0;
  }

 private:
  unsigned char* data_;
  size_t size_;
  size_t used_ = 0;
};

// Fills an event's words (OperationWord). False when JavaScript has to fetch the rest with the call.
bool WriteEvent(OperationCall& call, int32_t* words, OutputArena& arena) {
  Operation& operation = call.operation();
  const bool is_large = OutputArena::BytesOf(call) > OutputArena::kMostBytes;
  const EventKind kind = !operation.ok() ? EventKind::kOperationFailed
                         : is_large      ? EventKind::kOperationLarge
                                         : EventKind::kOperationDone;
  constexpr uint32_t kMostPauses = 0x7fff;
  constexpr uint64_t kMicro = 1000;
  words[OperationWord::kId] = static_cast<int32_t>(call.id());
  words[OperationWord::kKind] = static_cast<int32_t>(kind) | static_cast<int32_t>(call.place()) << kPlaceShift |
                                static_cast<int32_t>(std::min(call.pauses(), kMostPauses)) << kPausesShift;
  words[OperationWord::kValue] = operation.value();
  words[OperationWord::kOffset] = words[OperationWord::kFirstSize] = words[OperationWord::kSecondSize] = 0;
  if (kind == EventKind::kOperationDone && !call.abandoned()) {
    words[OperationWord::kOffset] = static_cast<int32_t>(arena.Put(operation.output(0).view()));
    words[OperationWord::kFirstSize] = static_cast<int32_t>(operation.output(0).size());
    static_cast<void>(arena.Put(operation.output(1).view()));
    words[OperationWord::kSecondSize] = static_cast<int32_t>(operation.output(1).size());
  }
  const bool has_run = operation.ended_ns() != 0;
  words[OperationWord::kQueueMicros] = has_run ? static_cast<int32_t>(call.queue_ns() / kMicro) : 0;
  words[OperationWord::kRunMicros] = has_run ? static_cast<int32_t>(call.run_ns() / kMicro) : 0;
  return kind == EventKind::kOperationDone;
}

// Both kinds of events come in one array.
static_assert(kWordsPerOperationEvent == kWordsPerEvent);

// --- Out

// (words, bytes, result, outputs)
Napi::Value SetCallBuffers(Info info) {
  Environment::From(info).operation_calls().SetBuffers(info[0].As<Napi::Float64Array>(), info[1].As<Napi::Uint8Array>(),
                                                       info[2].As<Napi::Int32Array>(), info[3].As<Napi::Uint8Array>());
  return info.Env().Undefined();
}

// (spec, input…): the inputs are passed when they are not in the call's bytes.
Napi::Value Operate(Info info) {
  Environment& environment = Environment::From(info);
  const OperationCalls::CallBuffers& buffers = environment.operation_calls().buffers();
  const PlacedSpec& spec = ToLiveSpec(info[0]);
  ByteView inputs[kMaxInputs];
  const auto count = std::min(static_cast<size_t>(buffers.words[CallWord::kInputCount]), kMaxInputs);
  const bool passed = buffers.words[CallWord::kPassed] != 0;
  StagedInputs staged(buffers.bytes);
  for (size_t i = 0; i < count; ++i) {
    const double size = buffers.words[CallWord::kFirstSize + i];
    if (size < 0) continue;
    if (passed) {
      inputs[i] = ToView(info[1 + i]);
      continue;
    }
    if (size > static_cast<double>(buffers.size - staged.size())) {
      return ToJs(info.Env(), CallStatus::kNoMemory);
    }
    inputs[i] = staged.Take(static_cast<size_t>(size));
  }
  // The spec's algorithms are of another mode than the process is in now.
  if (spec.in_fips_mode.has_value() && *spec.in_fips_mode != InFipsMode()) {
    return ToJs(info.Env(), CallStatus::kStale);
  }
  OperationRunner& operations = environment.operations();
  const auto id = static_cast<JobId>(buffers.words[CallWord::kId]);
  if (operations.Find(id) != nullptr) return ToJs(info.Env(), CallStatus::kIdInUse);
  OperationRunner::Submission submission = OperationRunner::Submission::kNoMemory;
  try {
    submission = operations.Submit(id, static_cast<Mode>(static_cast<int>(buffers.words[CallWord::kMode])), spec,
                                   inputs, count, buffers.words + CallWord::kFirstNumber, kMaxNumbers);
  } catch (const std::bad_alloc&) {
    if (OperationCall* begun = operations.Find(id); begun != nullptr) operations.Release(*begun);
    throw;
  }
  staged.Clear();  // the outputs go there
  switch (submission) {
    case OperationRunner::Submission::kQueued:
      environment.ExpectEvents();
      return ToJs(info.Env(), CallStatus::kQueued);
    case OperationRunner::Submission::kFull:
      return ToJs(info.Env(), CallStatus::kFull);
    case OperationRunner::Submission::kNoMemory:
      return ToJs(info.Env(), CallStatus::kNoMemory);
    case OperationRunner::Submission::kNoThreads:
      return ToJs(info.Env(), CallStatus::kNoThreads);
    case OperationRunner::Submission::kInline:
      break;
  }
  OperationCall& call = *operations.Find(id);
  OutputArena arena(buffers.bytes, buffers.size);
  if (WriteEvent(call, buffers.result, arena)) operations.Release(call);
  return ToJs(info.Env(), CallStatus::kDone);
}

// True when no event of the call will come: it had not begun, or is not known.
Napi::Value AbandonOperation(Info info) {
  Environment& environment = Environment::From(info);
  const JobId id = ToUint32(info[0]);
  const bool forgotten = environment.operations().Find(id) == nullptr || environment.operations().Abandon(id);
  environment.MayBeIdle();
  return Napi::Boolean::New(info.Env(), forgotten);
}

// Releases a call that was answered at once, when JavaScript was ended before it read the answer.
Napi::Value ForgetAnswer(Info info) {
  Environment& environment = Environment::From(info);
  OperationCall* call = environment.operations().Find(ToUint32(info[0]));
  if (call != nullptr && call->place() == Place::kInline && call->operation().ended_ns() != 0) {
    environment.operations().Release(*call);
  }
  return info.Env().Undefined();
}

// --- Home

Napi::Buffer<unsigned char> ToBuffer(Napi::Env env, SecretBytes& bytes) {
  const size_t size = bytes.size();
  unsigned char* memory = bytes.Release().release();
  if (memory == nullptr) return Napi::Buffer<unsigned char>::Copy(env, bytes.data(), size);
  return Napi::Buffer<unsigned char>::NewOrCopy(env, memory, size,
                                                [](Napi::Env, unsigned char* finalized) { delete[] finalized; });
}

// The error of a failed operation, or the outputs of a large one. Lets the call go.
Napi::Value TakeOperation(Info info) {
  OperationRunner& operations = Environment::From(info).operations();
  OperationCall* call = operations.Find(ToUint32(info[0]));
  if (call == nullptr) return info.Env().Undefined();
  Operation& operation = call->operation();
  Napi::Value result;
  if (operation.ok()) {
    Napi::Array outputs = Napi::Array::New(info.Env(), kMaxOutputs);
    for (uint32_t i = 0; i < kMaxOutputs; ++i) outputs.Set(i, ToBuffer(info.Env(), operation.output(i)));
    result = outputs;
  } else {
    result = ToJs(info.Env(), operation.error());
  }
  operations.Release(*call);
  return result;
}

}  // namespace

Result<std::unique_ptr<OperationCalls>> OperationCalls::Create(uv_loop_t* loop, Environment& environment) {
  std::unique_ptr<OperationCalls> calls(new OperationCalls(environment));
  Result<std::unique_ptr<OperationRunner>> runner = OperationRunner::Create(loop, *environment.scheduler(), *calls);
  if (!runner.ok()) return runner.error();
  calls->runner_ = std::move(runner.value());
  return calls;
}

void OperationCalls::SetBuffers(Napi::Float64Array words, Napi::Uint8Array bytes, Napi::Int32Array result,
                                Napi::Uint8Array outputs) {
  buffers_ = {words.Data(), bytes.Data(), bytes.ByteLength(), result.Data()};
  outputs_ = {outputs.Data(), outputs.ByteLength()};
  outputs_array_ = Napi::Weak(outputs.As<Napi::Object>());
}

void OperationCalls::OnOperations(OperationCall* const* calls, size_t count) {
  if (count == 0) return;
  const Napi::HandleScope scope(environment_.env());
  const auto [words, capacity] = environment_.event_buffer();
  // The array is wiped after JavaScript was told of the last call, when no expected event keeps it any more.
  [[maybe_unused]] const Napi::Object outputs = outputs_array_.Value();
  OutputArena arena(outputs_.data, outputs_.size);
  size_t filled = 0;
  const auto flush = [&] {
    if (filled > 0) environment_.TellBuffer(filled);
    filled = 0;
    arena.Wipe();
  };
  for (size_t i = 0; i < count; ++i) {
    OperationCall& call = *calls[i];
    if (filled == capacity || !arena.HasRoomFor(call)) flush();
    // The call stays when it has more to give than the event can carry.
    const bool is_whole = WriteEvent(call, words + filled * kWordsPerOperationEvent, arena);
    ++filled;
    if (is_whole || call.abandoned()) runner_->Release(call);
  }
  flush();
  environment_.MayBeIdle();
}

void OperationCalls::OnEnds(JobId id) {
  int32_t words[kWordsPerEvent] = {};
  words[EventWord::kId] = static_cast<int32_t>(id);
  words[EventWord::kKind] = static_cast<int32_t>(EventKind::kAwaited);
  environment_.TellEvents(words, 1);
  environment_.MayBeIdle();
}

void AddOperationCallExports(Exports& operations) {
  operations.Add("setCallBuffers", &SetCallBuffers);
  operations.Add("operate", &Operate);
  operations.Add("abandon", &AbandonOperation);
  operations.Add("forgetAnswer", &ForgetAnswer);
  operations.Add("take", &TakeOperation);
}

}  // namespace openssl_async
