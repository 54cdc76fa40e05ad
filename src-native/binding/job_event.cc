// Events of jobs are copied to JavaScript as they are: their words stand where EventWord says, and their kinds have the
// numbers of EventKind.
#include <cstddef>

#include "binding/contract.h"
#include "scheduler/scheduler.h"

namespace openssl_async {

namespace {

constexpr bool Is(JobEvent::Kind kind, EventKind told) {
  return static_cast<int32_t>(kind) == static_cast<int32_t>(told);
}
constexpr bool IsAt(size_t offset, size_t word) { return offset == word * sizeof(int32_t); }

static_assert(Is(JobEvent::Kind::kFinished, EventKind::kFinished));
static_assert(Is(JobEvent::Kind::kFailed, EventKind::kFailed));
static_assert(Is(JobEvent::Kind::kHandedOver, EventKind::kHandedOver));
static_assert(Is(JobEvent::Kind::kUnwatchable, EventKind::kUnwatchable));
static_assert(Is(JobEvent::Kind::kStarted, EventKind::kStarted));
static_assert(Is(JobEvent::Kind::kPaused, EventKind::kPaused));
static_assert(Is(JobEvent::Kind::kResumed, EventKind::kResumed));
static_assert(Is(JobEvent::Kind::kAwaited, EventKind::kAwaited));

static_assert(sizeof(JobEvent) == kWordsPerEvent * sizeof(int32_t));
static_assert(IsAt(offsetof(JobEvent, id), EventWord::kId));
static_assert(IsAt(offsetof(JobEvent, kind), EventWord::kKind));
static_assert(IsAt(offsetof(JobEvent, value), EventWord::kValue));
static_assert(IsAt(offsetof(JobEvent, pauses), EventWord::kPauses));
static_assert(IsAt(offsetof(JobEvent, wakeups.fd), EventWord::kFd));
static_assert(IsAt(offsetof(JobEvent, wakeups.callback), EventWord::kCallback));
static_assert(IsAt(offsetof(JobEvent, wakeups.poll), EventWord::kPoll));
static_assert(IsAt(offsetof(JobEvent, detail), EventWord::kDetail));
// What the environment is told of is told in events of the same size.
static_assert(kWordsPerEvent == kWordsPerOperationEvent);

}  // namespace

}  // namespace openssl_async
