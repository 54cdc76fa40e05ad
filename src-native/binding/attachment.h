// A part of an environment that has work to do at the environment's end.
#pragma once

#include <functional>

namespace openssl_async {

// See Environment for the order of its attachments.
class Attachment {
 public:
  // No JavaScript runs any more, but jobs may live. The process may end right after this, without Close().
  virtual void Drain() {}
  // All attachments were drained. `done` runs once the loop has let go of this attachment's handles.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): overriders keep it
  virtual void Close(std::function<void()> done) { done(); }
  // True while JavaScript expects nothing of the attachment.
  virtual bool IsIdle() const { return true; }

 protected:
  ~Attachment() = default;
};

}  // namespace openssl_async
