// Ids of connections that need a turn although nobody tells of them: all get it in the next turn of the loop.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "wakeup/uv_handle.h"

namespace openssl_async {

class TurnQueue {
 public:
  using Run = std::function<void(const std::vector<uint32_t>& ids)>;

  // Unusable, and libuv's code in `error`, when the system refuses.
  TurnQueue(uv_loop_t* loop, OpenHandles& open, Run run, int* error) : run_(std::move(run)) {
    idle_ = OpenHandle<uv_idle_t>(open, this, error, [&](uv_idle_t* handle) { return uv_idle_init(loop, handle); });
  }
  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;

  // Whoever adds an id twice has its turn twice.
  void Add(uint32_t id) {
    ids_.push_back(id);
    Wake();
  }
  // Has the function run, if with no ids.
  void Wake() {
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(idle_.get())) != 0) return;
    uv_idle_start(idle_.get(), [](uv_idle_t* handle) {
      OrDieOfMemory([handle] {
        auto& self = *static_cast<TurnQueue*>(handle->data);
        uv_idle_stop(handle);
        self.run_(std::exchange(self.ids_, {}));
      });
    });
  }

 private:
  const Run run_;
  std::vector<uint32_t> ids_;
  UvHandlePointer<uv_idle_t> idle_;
};

}  // namespace openssl_async
