#include "scheduler/wait_point_pool.h"

#include <atomic>
#include <utility>

namespace openssl_async {

namespace {

std::atomic<uint32_t> last_generation{0};

}  // namespace

std::unique_ptr<WaitPoint> WaitPointPool::Take(const void* group) {
  DropForgotten();
  const auto take = [](std::vector<std::unique_ptr<WaitPoint>>& from) {
    std::unique_ptr<WaitPoint> taken = std::move(from.back());
    from.pop_back();
    return taken;
  };
  if (!with_fds_.empty()) {
    if (const auto kept = with_fds_.find(group); kept != with_fds_.end()) {
      std::unique_ptr<WaitPoint> taken = take(kept->second);
      if (kept->second.empty()) with_fds_.erase(kept);
      --count_with_fds_;
      return taken;
    }
  }
  return free_.empty() ? nullptr : take(free_);
}

void WaitPointPool::Give(std::unique_ptr<WaitPoint> wait_point, const void* group, uint32_t generation,
                         size_t most_with_fds) {
  if (!wait_point->context().HasFds()) {
    free_.push_back(std::move(wait_point));
  } else if (generation == last_generation.load(std::memory_order_acquire)) {
    with_fds_[group].push_back(std::move(wait_point));
    if (++count_with_fds_ > most_with_fds) DropOneWithFds(group);
  }
}

// Drops a wait point of another group, if there is one: that group may not come back.
void WaitPointPool::DropOneWithFds(const void* group) {
  auto victim = with_fds_.begin();
  if (victim->first == group && with_fds_.size() > 1) ++victim;
  victim->second.pop_back();
  if (victim->second.empty()) with_fds_.erase(victim);
  --count_with_fds_;
}

void WaitPointPool::ForgetFds() {
  last_generation.fetch_add(1, std::memory_order_acq_rel);
  DropForgotten();
}

void WaitPointPool::DropForgotten() {
  const uint32_t current = last_generation.load(std::memory_order_acquire);
  if (current == std::exchange(generation_, current)) return;
  with_fds_.clear();
  count_with_fds_ = 0;
}

void WaitPointPool::Clear() {
  free_.clear();
  with_fds_.clear();
  count_with_fds_ = 0;
}

}  // namespace openssl_async
