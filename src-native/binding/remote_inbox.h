// Tells JavaScript of the requests to remote keys: in batches, in memory that both sides know.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "remote/remote_requests.h"

namespace openssl_async {

class RemoteInbox {
 public:
  // The inbox fills `words` (see RemoteWord) and `bytes`, then calls `on_requests(count)`.
  RemoteInbox(Napi::Function on_requests, Napi::Float64Array words, Napi::Uint8Array bytes);

  // Loop thread, outside jobs. `call` calls the function with a count; JavaScript may answer there, and run the loop.
  using Call = std::function<void(const Napi::FunctionReference& on_requests, size_t count)>;
  void Deliver(RemoteRequests& requests, const Call& call);

  // The name that a request gives as a number.
  const std::string& NameOf(uint32_t number) const { return *names_.at(number - 1); }

 private:
  // Longer requests are fetched one by one.
  static constexpr size_t kMostBytes = 8 * 1024;

  bool HasRoomFor(const RemoteQuestion& question) const;
  void Write(const RemoteRequests::Taken& taken);
  double NumberOf(const char* name);

  Napi::FunctionReference on_requests_;
  double* words_;
  size_t capacity_;
  unsigned char* bytes_;
  size_t size_;
  size_t count_ = 0;
  size_t used_ = 0;
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<const std::string*> names_;  // keys of numbers_
};

}  // namespace openssl_async
