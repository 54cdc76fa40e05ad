#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

#include <cerrno>
#include <cstring>

#include "tls/socket.h"

namespace openssl_async {

namespace {

void SetOption(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof(value)); }

// Sockets of Unix's domain refuse TCP_NODELAY, and need none.
int Prepare(int fd) {
  if (fd < 0) return -errno;
#ifndef __linux__
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  SetOption(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
#endif
  SetNoDelay(fd, true);
  return fd;
}

using GetName = int (*)(int, sockaddr*, socklen_t*);

SocketAddress AddressOf(int fd, GetName get_name) {
  SocketAddress found;
  sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  if (get_name(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return found;
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    sockaddr_in address = {};
    memcpy(&address, &storage, sizeof(address));
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
    return {"IPv4", text, ntohs(address.sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address = {};
    memcpy(&address, &storage, sizeof(address));
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text));
    return {"IPv6", text, ntohs(address.sin6_port)};
  }
  return found;
}

}  // namespace

bool HasSockets() { return true; }

int ReadSocket(int fd, void* buffer, size_t size) {
  ssize_t count = 0;
  do {
    count = read(fd, buffer, size);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : static_cast<int>(count);
}

int WriteSocket(int fd, const void* data, size_t size) {
#ifdef MSG_NOSIGNAL
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;
#endif
  ssize_t count = 0;
  do {
    count = send(fd, data, size, kFlags);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : static_cast<int>(count);
}

int ListenOnSocket(int fd, int backlog) { return listen(fd, backlog) == 0 ? 0 : -errno; }

int AcceptSocket(int fd) {
#ifdef __linux__
  // The other options come from the listening socket.
  const int accepted = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return accepted < 0 ? -errno : accepted;
#else
  return Prepare(accept(fd, nullptr, nullptr));
#endif
}

int DuplicateSocket(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return -errno;
  fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
  return Prepare(copy);
}

int MakeSocketPair(UniqueSocket& first, UniqueSocket& second, int size) {
  int fds[2] = {-1, -1};
#ifdef __linux__
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) return -errno;
#else
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return -errno;
#endif
  first = UniqueSocket(Prepare(fds[0]));
  second = UniqueSocket(Prepare(fds[1]));
  for (const int fd : fds) SetOption(fd, SOL_SOCKET, SO_SNDBUF, size);
  return 0;
}

int UnacknowledgedBytes(int fd) {
  pollfd state = {fd, 0, 0};
  if (poll(&state, 1, 0) > 0 && (state.revents & POLLERR) != 0) return 0;  // the peer has reset the connection
  int bytes = 0;
#if defined(__linux__)
  if (ioctl(fd, SIOCOUTQ, &bytes) != 0) return 0;
#elif defined(SO_NWRITE)
  socklen_t size = sizeof(bytes);
  if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &size) != 0) return 0;
#endif
  return bytes;
}

void EndSocket(int fd) { shutdown(fd, SHUT_WR); }

void CutSocket(int fd) { shutdown(fd, SHUT_RDWR); }

void ResetSocketOnClose(int fd) {
  const linger now = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void CloseSocket(int fd) { close(fd); }

void SetNoDelay(int fd, bool no_delay) { SetOption(fd, IPPROTO_TCP, TCP_NODELAY, no_delay ? 1 : 0); }

void SetKeepAlive(int fd, bool keep_alive, int initial_delay_seconds) {
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, keep_alive ? 1 : 0);
#ifdef TCP_KEEPIDLE
  if (keep_alive && initial_delay_seconds > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, initial_delay_seconds);
#else
  if (keep_alive && initial_delay_seconds > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPALIVE, initial_delay_seconds);
#endif
}

SocketAddress PeerOf(int fd) { return AddressOf(fd, &getpeername); }
SocketAddress LocalOf(int fd) { return AddressOf(fd, &getsockname); }

}  // namespace openssl_async
