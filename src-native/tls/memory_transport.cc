#include "tls/memory_transport.h"

#include <algorithm>
#include <utility>

#include "tls/client_hello.h"

namespace openssl_async {

static_assert(MemoryTransport::kMostInput >= kMaxHelloBytes, "there is room for the longest hello");

// The bytes are JavaScript's: none of them is looked at after the call.
size_t MemoryTransport::Feed(ByteView bytes) {
  const size_t room = kMostInput - std::min(kMostInput, input().size);
  const size_t taken = std::min(room, bytes.size);
  has_refused_ = taken < bytes.size;
  if (taken > 0) Append({bytes.data, taken});
  Settle();
  return taken;
}

bool MemoryTransport::WantsInput() {
  return has_refused_ && input().size <= kMostInput / 2 && std::exchange(has_refused_, false);
}

std::string MemoryTransport::TakeOutput() {
  is_carried_ = true;
  return std::exchange(output_, {});
}

}  // namespace openssl_async
