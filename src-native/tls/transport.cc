#include "tls/transport.h"

#include <uv.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace openssl_async {

namespace {

ByteView ViewOf(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

void Append(std::string& to, ByteView bytes) {
  if (bytes.size > 0) to.append(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

}  // namespace

int Transport::Receive() {
  if (ended_) return 0;
  unsigned char* const buffer = buffers_->input.get();
  const int count = ReadSocket(socket_.get(), buffer, TransportBuffers::kInputBytes);
  if (count == UV_EAGAIN) return 0;
  if (count < 0) return count;
  if (count == 0) {
    ended_ = true;
    return 0;
  }
  const ByteView received = {buffer, static_cast<size_t>(count)};
  if (input_.size == 0) {
    input_ = received;
  } else {
    Prepend(input_);
    Append(kept_, received);
    input_ = ViewOf(kept_);
  }
  return 0;
}

void Transport::Prepend(ByteView bytes) {
  std::string kept;
  Append(kept, bytes);
  kept_ = std::move(kept);
  input_ = ViewOf(kept_);
}

void Transport::Settle() {
  if (input_.size == 0) {
    if (!kept_.empty()) std::string().swap(kept_);
    input_ = {};
  } else if (input_.data != ViewOf(kept_).data) {
    Prepend(input_);
  }
}

int Transport::Flush() {
  std::string& output = pending() ? pending_ : buffers_->output;
  const bool is_kept = &output == &pending_;
  const size_t begin = is_kept ? sent_ : 0;
  if (begin == output.size()) return 0;
  int count = WriteSocket(socket_.get(), output.data() + begin, output.size() - begin);
  if (count == UV_EAGAIN) count = 0;
  const size_t end = begin + static_cast<size_t>(std::max(count, 0));
  if (is_kept) {
    sent_ = end;
    if (count < 0 || sent_ == pending_.size()) {
      std::string().swap(pending_);
      sent_ = 0;
    }
  } else {
    if (count >= 0 && end < output.size()) {
      pending_.assign(output, end, std::string::npos);
      sent_ = 0;
    }
    constexpr size_t kKeptCapacity = 512 * 1024;
    if (output.capacity() > kKeptCapacity) std::string().swap(output);
    output.clear();
  }
  return std::min(count, 0);
}

void Transport::EndOutput() {
  if (!std::exchange(output_ended_, true)) EndSocket(socket_.get());
}

BioPointer Transport::NewBio() {
  BioPointer bio(Method() == nullptr ? nullptr : BIO_new(Method()));
  if (bio == nullptr) return bio;
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

const BIO_METHOD* Transport::Method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "openssl-async");
    if (method == nullptr) return method;
    BIO_meth_set_read(method, &Transport::Read);
    BIO_meth_set_write(method, &Transport::Write);
    BIO_meth_set_ctrl(method, &Transport::Control);
    return method;
  }();
  return made;
}

// The end of the socket is never told: the connection finds out by ended(), and calls a truncation by its name.
int Transport::Read(BIO* bio, char* buffer, int size) {
  auto& self = *static_cast<Transport*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.input_.size == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t count = std::min(self.input_.size, static_cast<size_t>(std::max(size, 0)));
  memcpy(buffer, self.input_.data, count);
  self.input_ = {self.input_.data + count, self.input_.size - count};
  return static_cast<int>(count);
}

int Transport::Write(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<Transport*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.output_ended_) return size;
  try {
    self.output().append(data, static_cast<size_t>(std::max(size, 0)));
  } catch (const std::bad_alloc&) {
    return -1;  // no exception passes through OpenSSL
  }
  return size;
}

long Transport::Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace openssl_async
