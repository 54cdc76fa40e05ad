// Owners of libuv handles. After uv_close(), a handle's memory stays until the close callback, which comes later on the
// loop.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <utility>

namespace openssl_async {

// Counts one owner's handles that are not closed yet, and tells when the last one is.
class OpenHandles {
 public:
  void Opened() { ++open_; }
  void Closed() {
    if (--open_ == 0 && on_all_closed_) std::exchange(on_all_closed_, nullptr)();
  }
  // `done` runs once every handle is closed: now, if there is none.
  void WhenAllClosed(std::function<void()> done) {
    if (open_ == 0) {
      done();
    } else {
      on_all_closed_ = std::move(done);
    }
  }

 private:
  size_t open_ = 0;
  std::function<void()> on_all_closed_;
};

// The deleter of a handle pointer is uv_close().
template <typename T>
struct UvCloser {
  OpenHandles* open = nullptr;
  void operator()(T* handle) const {
    handle->data = open;
    uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
      auto* counter = static_cast<OpenHandles*>(closed->data);
      delete reinterpret_cast<T*>(closed);
      counter->Closed();
    });
  }
};

template <typename T>
using UvHandlePointer = std::unique_ptr<T, UvCloser<T>>;

// Initialises a handle with `init(handle)`, unreferenced: handles of ours never keep a process alive by existing. Null,
// and libuv's code in `error`, when that fails.
template <typename T, typename Init>
UvHandlePointer<T> OpenHandle(OpenHandles& open, void* data, int* error, Init init) {
  auto handle = std::make_unique<T>();
  *error = init(handle.get());
  if (*error != 0) return UvHandlePointer<T>(nullptr, UvCloser<T>{&open});
  open.Opened();
  handle->data = data;
  uv_unref(reinterpret_cast<uv_handle_t*>(handle.get()));
  return UvHandlePointer<T>(handle.release(), UvCloser<T>{&open});
}

}  // namespace openssl_async
