// A context for work with a remote key. The default provider's context (`inner`) keeps the parameters; the public key
// is enough to set it up.
#pragma once

#include <memory>

#include "remote/remote_key.h"

namespace openssl_async {

// `kNew`, `kFree` and `kDuplicate` are the numbers of the class's functions.
template <int kNew, int kFree, int kDuplicate>
class RemoteContext {
 public:
  explicit RemoteContext(const WrappedAlgorithm& used_algorithm) : algorithm(used_algorithm) {}
  ~RemoteContext() {
    if (inner != nullptr) algorithm.Get<void(void*)>(kFree)(inner);
  }
  RemoteContext(const RemoteContext&) = delete;
  RemoteContext& operator=(const RemoteContext&) = delete;

  static RemoteContext* From(void* context) { return static_cast<RemoteContext*>(context); }

  static RemoteContext* Make(const WrappedAlgorithm& algorithm) {
    auto context = std::make_unique<RemoteContext>(algorithm);
    context->inner = algorithm.Get<void*(void*)>(kNew)(DefaultProvider::Get()->context());
    return context->inner == nullptr ? nullptr : context.release();
  }
  static void Free(void* context) { delete From(context); }
  static void* Duplicate(void* context) {
    const RemoteContext* from = From(context);
    auto copy = std::make_unique<RemoteContext>(from->algorithm);
    copy->key = from->key;
    copy->peer = from->peer;
    copy->inner = from->algorithm.template Get<void*(void*)>(kDuplicate)(from->inner);
    return copy->inner == nullptr ? nullptr : copy.release();
  }

  const WrappedAlgorithm& algorithm;
  void* inner = nullptr;
  RemoteKeyPointer key;
  RemoteKeyPointer peer;
};

}  // namespace openssl_async
