#include "wakeup/backoff_timer.h"

#include <algorithm>

#include "base/memory.h"

namespace openssl_async {

BackoffTimer::BackoffTimer(uv_loop_t* loop, OpenHandles& open, int* error) : loop_(loop) {
  timer_ = OpenHandle<uv_timer_t>(open, this, error, [loop](uv_timer_t* timer) { return uv_timer_init(loop, timer); });
  Configure(1, 16);
}

void BackoffTimer::Configure(uint64_t initial_interval_ms, uint64_t max_interval_ms) {
  intervals_.clear();
  for (uint64_t interval = std::max<uint64_t>(initial_interval_ms, 1); interval < max_interval_ms; interval *= 2) {
    intervals_.push_back(interval);
  }
  intervals_.push_back(std::max(initial_interval_ms, max_interval_ms));
  levels_ = std::vector<IntrusiveList<BackoffEntry>>(intervals_.size());
}

void BackoffTimer::Schedule(BackoffEntry& entry, unsigned attempt) {
  const size_t level = std::min<size_t>(attempt, intervals_.size() - 1);
  entry.level = static_cast<uint8_t>(level);
  entry.due_ms = uv_now(loop_) + intervals_[level];
  levels_[level].PushBack(&entry);
  if (armed_due_ms_ == 0 || entry.due_ms < armed_due_ms_) Start(entry.due_ms);
}

void BackoffTimer::Cancel(BackoffEntry& entry) {
  if (entry.linked()) levels_[entry.level].Remove(&entry);
}

void BackoffTimer::FireDue() {
  armed_due_ms_ = 0;
  const uint64_t now = uv_now(loop_);
  uint64_t next = 0;
  for (IntrusiveList<BackoffEntry>& level : levels_) {
    while (BackoffEntry* entry = level.front()) {
      if (entry->due_ms > now) {
        if (next == 0 || entry->due_ms < next) next = entry->due_ms;
        break;
      }
      level.Remove(entry);
      entry->target->OnWake(WakeKind::kPoll);
    }
  }
  if (next != 0) Start(next);
}

void BackoffTimer::Start(uint64_t due_ms) {
  const uint64_t now = uv_now(loop_);
  armed_due_ms_ = due_ms;
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) { OrDieOfMemory([timer] { static_cast<BackoffTimer*>(timer->data)->FireDue(); }); },
      due_ms > now ? due_ms - now : 0, 0);
}

}  // namespace openssl_async
