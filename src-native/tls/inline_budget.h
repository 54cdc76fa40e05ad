// How long handshakes may hold the event loop. Those that take little, and for which there is room, run there: the way
// to a thread and back would cost more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace openssl_async {

// Any thread.
class InlineBudget {
 public:
  // What one handshake is expected to take of it; given back at the end.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept : budget_(std::move(other.budget_)), ns_(std::exchange(other.ns_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      if (this != &other) {
        reset();
        budget_ = std::move(other.budget_);
        ns_ = std::exchange(other.ns_, 0);
      }
      return *this;
    }
    ~Share() { reset(); }
    void reset() {
      if (ns_ > 0) budget_->taken_ns_ -= std::exchange(ns_, 0);
      budget_.reset();
    }
    bool taken() const { return ns_ > 0; }

   private:
    friend class InlineBudget;
    Share(std::shared_ptr<InlineBudget> budget, uint64_t ns) : budget_(std::move(budget)), ns_(ns) {}

    std::shared_ptr<InlineBudget> budget_;
    uint64_t ns_ = 0;
  };

  // An empty share when all that are taken would be more than `most_ns` together.
  static Share Take(const std::shared_ptr<InlineBudget>& budget, uint64_t ns, uint64_t most_ns) {
    if (budget == nullptr || ns == 0 || ns > most_ns) return {};
    Share share(budget, ns);
    if (budget->taken_ns_.fetch_add(ns) + ns > most_ns) return {};
    return share;
  }

 private:
  std::atomic<uint64_t> taken_ns_{0};
};

}  // namespace openssl_async
