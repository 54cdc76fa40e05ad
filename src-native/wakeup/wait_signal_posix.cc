#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "wakeup/wait_signal.h"

namespace openssl_async {

Result<std::unique_ptr<WaitSignal>> WaitSignal::Create() {
  int ends[2];
  if (pipe(ends) != 0) {
    return Error{errno == EMFILE   ? "EMFILE"
                 : errno == ENFILE ? "ENFILE"
                                   : "ERR_SYSTEM_ERROR",
                 std::string("Could not create a pipe: ") + strerror(errno),
                 {}};
  }
  for (const int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK);
  }
  std::unique_ptr<WaitSignal> signal(new WaitSignal());
  signal->fd_ = ends[0];
  signal->write_fd_ = ends[1];
  return signal;
}

WaitSignal::~WaitSignal() {
  if (fd_ >= 0) close(fd_);
  if (write_fd_ >= 0) close(write_fd_);
}

void WaitSignal::Wake() {
  const char byte = 'X';
  while (write(write_fd_, &byte, 1) < 0 && errno == EINTR) {
  }  // a full pipe is readable as it is
}

bool WaitSignal::Clear() {
  char bytes[64];
  bool was_woken = false;
  for (;;) {
    const ssize_t count = read(fd_, bytes, sizeof(bytes));
    if (count > 0) {
      was_woken = true;
    } else if (count == 0 || errno != EINTR) {
      return was_woken;
    }
  }
}

}  // namespace openssl_async
