#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>
#include "base/intrusive_list.h"
namespace openssl_async {
class WorkerPool {
 public:
  class Task : public ListNode<Task> {
   public:
    virtual void Run() noexcept = 0;
    virtual void Done() noexcept = 0;
    uint32_t expected_ns = UINT32_MAX;
   protected:
    ~Task() = default;
  };
  struct Options { unsigned threads = 0; size_t max_queued = 65536; bool spare_thread = true; };
  struct Stats { unsigned threads; unsigned spare_threads; size_t queued; size_t running; uint64_t submitted, completed, refused; };
  static WorkerPool& Get() { static auto* p = new WorkerPool(); return *p; }
  bool Configure(const Options& o) { options_ = o; return !started_; }
  bool Submit(Task* t) {
    std::lock_guard<std::mutex> l(m_);
    if (!started_) { started_ = true; unsigned n = options_.threads ? options_.threads : 2; for (unsigned i = 0; i < n; ++i) std::thread([this]{ Loop(); }).detach(); }
    q_.PushBack(t);
    if (idle_ > 0) c_.notify_one();
    return true;
  }
  bool Cancel(Task* t) { std::lock_guard<std::mutex> l(m_); if (!t->linked()) return false; q_.Remove(t); return true; }
  Stats stats() const { return {}; }
 private:
  void Loop() {
    std::vector<Task*> batch;
    for (;;) {
      batch.clear();
      { std::unique_lock<std::mutex> l(m_);
        while (q_.empty()) { ++idle_; c_.wait(l); --idle_; }
        uint64_t sum = 0; size_t share = (q_.size() + 1) / 2;
        while (!q_.empty() && batch.size() < share) { Task* t = q_.front(); if (!batch.empty() && sum + t->expected_ns > 100000) break; sum += t->expected_ns; batch.push_back(q_.PopFront()); }
      }
      for (Task* t : batch) t->Run();
      for (Task* t : batch) t->Done();
    }
  }
  Options options_; bool started_ = false; int idle_ = 0;
  std::mutex m_; std::condition_variable c_; IntrusiveList<Task> q_;
};
}
