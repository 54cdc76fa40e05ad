#include "tls/transport.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace openssl_async {

namespace {

ByteView ViewOf(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

void AppendTo(std::string& to, ByteView bytes) {
  if (bytes.size > 0) to.append(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

}  // namespace

void Transport::Append(ByteView bytes) {
  if (input_.size == 0) {
    input_ = bytes;
    return;
  }
  Prepend(input_);
  AppendTo(kept_, bytes);
  input_ = ViewOf(kept_);
}

void Transport::Prepend(ByteView bytes) {
  std::string kept;
  AppendTo(kept, bytes);
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

void Transport::Send(ByteView bytes) { AppendTo(output(), bytes); }

void Transport::EndOutput() {
  if (!std::exchange(output_ended_, true)) TellEnd();
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
