// Windows' sockets are no file descriptors: Node.js reads and writes them, see HasSockets().
#include <uv.h>

#include "tls/socket.h"

namespace openssl_async {

bool HasSockets() { return false; }
int ReadSocket(int, void*, size_t) { return UV_ENOSYS; }
int WriteSocket(int, const void*, size_t) { return UV_ENOSYS; }
int ListenOnSocket(int, int) { return UV_ENOSYS; }
int AcceptSocket(int) { return UV_ENOSYS; }
int DuplicateSocket(int) { return UV_ENOSYS; }
int MakeSocketPair(UniqueSocket&, UniqueSocket&, int) { return UV_ENOSYS; }
int UnacknowledgedBytes(int) { return 0; }
void EndSocket(int) {}
void CutSocket(int) {}
void ResetSocketOnClose(int) {}
void CloseSocket(int) {}
void SetNoDelay(int, bool) {}
void SetKeepAlive(int, bool, int) {}
SocketAddress PeerOf(int) { return {}; }
SocketAddress LocalOf(int) { return {}; }

}  // namespace openssl_async
