// A part of an environment that takes part in the environment's end.
#pragma once

#include <functional>

namespace openssl_async {

// See Environment for the order of its attachments.
class Attachment {
 public:
  // No JavaScript runs any more, but jobs may live. The process may end right after this, without Close().
  virtual void Drain() {}
  // All attachments were drained. `done` runs once the loop has let go of this one's handles.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): overriders keep it
  virtual void Close(std::function<void()> done) { done(); }
  // JavaScript has nothing to expect of it.
  virtual bool IsIdle() const { return true; }

 protected:
  ~Attachment() = default;
};

}  // namespace openssl_async
