// Sockets of the system, which never block. Errors are libuv's numbers, which are negative.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace openssl_async {

struct SocketAddress {
  std::string family;  // IPv4, IPv6; empty when there is none
  std::string address;
  int port = 0;
};

// Whether this platform has an implementation. Elsewhere all connections are without a socket: JavaScript carries their
// ciphertext.
bool HasSockets();

// Bytes read, 0 at the end, or an error.
int ReadSocket(int fd, void* buffer, size_t size);
// Bytes that the system took, or an error. Raises no signal.
int WriteSocket(int fd, const void* data, size_t size);
// 0, or an error.
int ListenOnSocket(int fd, int backlog);
// A new socket, non-blocking, not inherited by child processes and without Nagle's algorithm; or an error.
int AcceptSocket(int fd);
// As AcceptSocket(), of a socket that somebody else goes on owning.
int DuplicateSocket(int fd);
// Tells the peer that nothing follows.
void EndSocket(int fd);
// Nothing is sent or received from here on; the socket stays.
void CutSocket(int fd);
// Bytes that the peer's system has not acknowledged. They are lost when the socket is closed and the peer writes. 0
// where nobody can tell.
int UnacknowledgedBytes(int fd);
// The peer's next write is answered by a reset.
void ResetSocketOnClose(int fd);
void CloseSocket(int fd);
void SetNoDelay(int fd, bool no_delay);
void SetKeepAlive(int fd, bool keep_alive, int initial_delay_seconds);
SocketAddress PeerOf(int fd);
SocketAddress LocalOf(int fd);

// Owner of a socket.
class UniqueSocket {
 public:
  UniqueSocket() = default;
  explicit UniqueSocket(int fd) : fd_(fd) {}
  UniqueSocket(UniqueSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueSocket& operator=(UniqueSocket&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueSocket() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) CloseSocket(std::exchange(fd_, -1));
  }
  // The caller owns it from here on.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Two sockets that are connected to each other, neither of them blocking or inherited by child processes. Each takes
// about `size` bytes before the other one reads. 0, or an error.
int MakeSocketPair(UniqueSocket& first, UniqueSocket& second, int size);

}  // namespace openssl_async
