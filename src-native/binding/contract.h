// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// The results of ASYNC_start_job(), and the hand-over of a job that is made of commands.
enum class RunStatus : int {
  kError = 0,
  kNoJobs = 1,
  kPause = 2,
  kFinish = 3,
  kHandedOver = 4,
};

// Events that JavaScript is told.
enum class EventKind : int32_t {
  // `value` is the return value; `detail` is 1 when `takeFailure()` has the job's error queue.
  kFinished = 0,
  // `takeFailure()` has the error.
  kFailed = 1,
  // `value` is the last command's success, `detail` its fd. `continueJob()` is due.
  kHandedOver = 2,
  // `takeFailure()` has the error. The job is polled; its end will be told.
  kUnwatchable = 3,
  // This event and the next two come only while jobs are traced.
  kStarted = 4,
  kPaused = 5,
  // `value` is a kind of wake-up.
  kResumed = 6,
  // `value` is a kind of wake-up.
  kAwaited = 7,
  kOperationDone = 8,
  // `takeOperation()` has the error.
  kOperationFailed = 9,
  // `takeOperation()` has the outputs.
  kOperationLarge = 10,
};

// The words of an event.
struct EventWord {
  enum : size_t {
    kId = 0,
    kKind = 1,
    kValue = 2,
    kPauses = 3,
    kFd = 4,
    kCallback = 5,
    kPoll = 6,
    kDetail = 7,
  };
};
constexpr size_t kWordsPerEvent = 8;

// The words of an operation's event. `kind` also holds the place and the pauses.
struct OperationWord {
  enum : size_t {
    kId = 0,
    kKind = 1,
    kValue = 2,
    kOffset = 3,
    kFirstSize = 4,
    kSecondSize = 5,
    kQueueMicros = 6,
    kRunMicros = 7,
  };
};
constexpr size_t kWordsPerOperationEvent = 8;

// The bits of an operation event's `kind` that hold the kind itself.
constexpr size_t kKindMask = 255;

// The bit of an operation event's `kind` at which the place begins; it has as many as the kind itself.
constexpr size_t kPlaceShift = 8;

// The bit of an operation event's `kind` at which the number of pauses begins.
constexpr size_t kPausesShift = 16;

// The words of a call. A size of −1 stands for no input. The inputs are in the call's bytes, unless `passed`.
struct CallWord {
  enum : size_t {
    kId = 0,
    kMode = 1,
    kInputCount = 2,
    kPassed = 3,
    kFirstSize = 4,
    kFirstNumber = 10,
  };
};
constexpr size_t kCallWords = 16;

// The answers of `operate()`.
enum class CallStatus : int32_t {
  kQueued = 0,
  // The answer is in the result's words.
  kDone = 1,
  // Too many are in flight.
  kFull = 2,
  kNoMemory = 3,
  // It may not run on the loop's thread, and the system gives the pool no other.
  kNoThreads = 4,
  kIdInUse = 5,
  // The spec's algorithms are of another FIPS mode than the process is in now.
  kStale = 6,
};

// The first words of a batch of jobs: the number of its jobs, and of the bytes of their arguments. Native code resets
// both.
struct BatchWord {
  enum : size_t {
    kCount = 0,
    kBytes = 1,
  };
};
constexpr size_t kBatchHeadWords = 2;

// The words of a job in a batch. `argsSize` is -1 for a job without arguments.
struct BatchJobWord {
  enum : size_t {
    kId = 0,
    kArgsSize = 1,
  };
};
constexpr size_t kWordsPerBatchJob = 2;

// The words of an environment's state. `inside`: how many functions run that are called where C would be inside a job.
struct StateWord {
  enum : size_t {
    kInside = 0,
  };
};
constexpr size_t kStateWords = 1;

// The ends of an operation on Node.js's own thread pool.
enum class ThreadpoolOutcome : int32_t {
  kDone = 0,
  kFailed = 1,
  kAbandoned = 2,
  kRefused = 3,
};

// Properties of a new remote key: its signatures are checked; ECDSA signatures come as IEEE P1363 has them.
enum class RemoteKeyFlag : uint32_t {
  kVerifies = 0x1,
  kP1363 = 0x2,
};

// The reasons why a request to a remote key has no answer.
enum class RemoteRefusal : int32_t {
  kFailed = 0,
  kInvalidResult = 1,
  kTimeout = 2,
};

// The words of a request to a remote key. Its bytes, which its label follows, are at `offset` of the batch's; at -1,
// they are to be fetched. A size of -1 is no label. Digests are numbers of names; 0 is none.
struct RemoteWord {
  enum : size_t {
    kId = 0,
    kKey = 1,
    kJob = 2,
    kOperation = 3,
    kOffset = 4,
    kSize = 5,
    kLabelSize = 6,
    kDigest = 7,
    kMgf1Digest = 8,
    kPadding = 9,
    kSaltLength = 10,
  };
};
constexpr size_t kWordsPerRemoteRequest = 11;

}  // namespace openssl_async
