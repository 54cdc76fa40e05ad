// The load of the TLS benchmark: one thread, epoll, OpenSSL's libssl, as many connections as asked for.
//
//   client handshakes PORT IN_FLIGHT SECONDS VERSION full|resume|psk   handshakes, each followed by a graceful close
//   client burst PORT COUNT VERSION                                    so many new handshakes at once
//   client echo PORT CONNECTIONS BYTES SECONDS                         one message of so many bytes after the other
//   client idle PORT COUNT                                             open connections, until the standard input ends
//
// Prints one line of JSON; `idle` prints it as soon as all connections are open.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// A connection leaves from one of so many addresses of the loopback device: one has too few ports for a long run.
enum { kAddresses = 100, kMostEvents = 256, kLongestMessage = 1 << 20, kMostLatencies = 1 << 22 };

typedef enum { kConnecting, kHandshaking, kAwaitingTicket, kClosing, kIdle, kWriting, kReading } State;

typedef struct {
  int fd;
  SSL* ssl;
  State state;
  int watched;  // epoll's events
  int has_new_ticket;
  SSL_SESSION* session;
  size_t done;  // bytes of the message
  double began;
} Connection;

static int epoll_fd;
static SSL_CTX* context;
static int port;
static int resumes;
static int stays_open;
static size_t message_bytes;
static unsigned char message[kLongestMessage];
static long opened, handshakes, resumed, failures, messages;
static long shared;  // handshakes by the key that both sides have
static float* latencies;

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void Die(const char* what) {
  fprintf(stderr, "client: error: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void Watch(Connection* connection, int events) {
  if (connection->watched == events) return;
  struct epoll_event event = {.events = (uint32_t)events, .data.ptr = connection};
  const int operation = connection->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0) Die("epoll_ctl");
  connection->watched = events;
}

static void Open(Connection* connection) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  struct sockaddr_in local = {.sin_family = AF_INET};
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(opened++ % kAddresses));
  if (bind(fd, (struct sockaddr*)&local, sizeof(local)) != 0) Die("bind");
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr*)&server, sizeof(server)) != 0 && errno != EINPROGRESS) Die("connect");
  connection->fd = fd;
  connection->watched = 0;
  connection->has_new_ticket = 0;
  connection->state = kConnecting;
  connection->ssl = SSL_new(context);
  SSL_set_app_data(connection->ssl, connection);
  SSL_set_fd(connection->ssl, fd);
  SSL_set_tlsext_host_name(connection->ssl, "localhost");
  if (resumes && connection->session != NULL) {
    SSL_SESSION* copy = SSL_SESSION_dup(connection->session);  // libssl uses one of TLS 1.3 once
    SSL_set_session(connection->ssl, copy);
    SSL_SESSION_free(copy);
  }
  Watch(connection, EPOLLOUT);
}

static void Close(Connection* connection) {
  SSL_free(connection->ssl);
  close(connection->fd);
  connection->ssl = NULL;
}

static int OnNewSession(SSL* ssl, SSL_SESSION* session) {
  Connection* connection = SSL_get_app_data(ssl);
  if (connection->session != NULL) SSL_SESSION_free(connection->session);
  connection->session = session;
  connection->has_new_ticket = 1;
  return 1;
}

// The server of the benchmark has the same one.
static unsigned GiveKey(SSL* ssl, const char* hint, char* identity, unsigned identity_size, unsigned char* key,
                        unsigned key_size) {
  (void)ssl, (void)hint;
  static const char kIdentity[] = "bench", kKey[] = "0123456789abcdef";
  if (identity_size < sizeof(kIdentity) || key_size < sizeof(kKey) - 1) return 0;
  memcpy(identity, kIdentity, sizeof(kIdentity));
  memcpy(key, kKey, sizeof(kKey) - 1);
  return sizeof(kKey) - 1;
}

// A key of TLS 1.3 looks like a session.
static int UsesSharedKey(SSL* ssl) {
  if (SSL_version(ssl) == TLS1_3_VERSION) return SSL_session_reused(ssl);
  return SSL_CIPHER_get_auth_nid(SSL_get_current_cipher(ssl)) == NID_auth_psk;
}

static void ShareKey(void) {
  SSL_CTX_set_psk_client_callback(context, &GiveKey);
  if (SSL_CTX_set_cipher_list(context, "ECDHE-PSK-CHACHA20-POLY1305") != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) {
    Die("ciphers");
  }
}

// Waits for whatever a call of libssl lacked. False when the connection has failed.
static int Wait(Connection* connection, int result) {
  switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      Watch(connection, EPOLLIN);
      return 1;
    case SSL_ERROR_WANT_WRITE:
      Watch(connection, EPOLLOUT);
      return 1;
    default:
      return 0;
  }
}

// Both go on until the connection waits or is over. They return whether it is still open.
static int StepHandshake(Connection* connection) {
  ERR_clear_error();
  if (connection->state == kConnecting) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failures++, 0;
    connection->state = kHandshaking;
  }
  if (connection->state == kHandshaking) {
    const int result = SSL_connect(connection->ssl);
    if (result != 1) return Wait(connection, result) ? 1 : (failures++, 0);
    ++handshakes;
    resumed += SSL_session_reused(connection->ssl);
    shared += UsesSharedKey(connection->ssl);
    if (message_bytes > 0) {
      connection->state = kWriting;
      connection->done = 0;
      connection->began = Now();
      Watch(connection, EPOLLOUT);
      return 1;
    }
    // A resumed session may go without a new ticket; the old one serves again.
    const int lacks_ticket = resumes && !SSL_session_reused(connection->ssl);
    connection->state = stays_open ? kIdle : lacks_ticket ? kAwaitingTicket : kClosing;
  }
  unsigned char byte;
  if (connection->state == kIdle) return Wait(connection, SSL_read(connection->ssl, &byte, 1));
  if (connection->state == kAwaitingTicket) {
    const int result = connection->has_new_ticket ? 0 : SSL_read(connection->ssl, &byte, 1);
    if (!connection->has_new_ticket) return Wait(connection, result) ? 1 : (failures++, 0);
    connection->state = kClosing;
  }
  if (connection->state == kClosing) {
    if ((SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(connection->ssl);
    const int result = SSL_read(connection->ssl, &byte, 1);
    return result <= 0 && Wait(connection, result);
  }
  return 1;
}

static int StepEcho(Connection* connection) {
  ERR_clear_error();
  while (connection->state == kWriting) {
    const int result = SSL_write(connection->ssl, message + connection->done, (int)(message_bytes - connection->done));
    if (result <= 0) return Wait(connection, result);
    connection->done += (size_t)result;
    if (connection->done < message_bytes) continue;
    connection->done = 0;
    connection->state = kReading;
  }
  static unsigned char in[64 * 1024];
  while (connection->state == kReading) {
    const int result = SSL_read(connection->ssl, in, sizeof(in));
    if (result <= 0) return Wait(connection, result);
    connection->done += (size_t)result;
    if (connection->done < message_bytes) continue;
    const double now = Now();
    if (messages < kMostLatencies) latencies[messages] = (float)((now - connection->began) * 1e6);
    ++messages;
    connection->began = now;
    connection->done = 0;
    connection->state = kWriting;
    return StepEcho(connection);
  }
  return 1;
}

static void OpenAll(Connection* connections, int count) {
  for (int i = 0; i < count; ++i) Open(&connections[i]);
}

// One round of epoll; `again` opens a connection anew when it is over. Returns how many ended for good.
static int Turn(int timeout_ms, int again) {
  struct epoll_event events[kMostEvents];
  const int count = epoll_wait(epoll_fd, events, kMostEvents, timeout_ms);
  int over = 0;
  for (int i = 0; i < count; ++i) {
    Connection* connection = events[i].data.ptr;
    const int is_echo = connection->state == kWriting || connection->state == kReading;
    if (is_echo ? StepEcho(connection) : StepHandshake(connection)) continue;
    if (is_echo) ++failures;
    Close(connection);
    if (again) {
      Open(connection);
    } else {
      ++over;
    }
  }
  return over;
}

static void SetVersion(const char* version) {
  const int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, number);
  SSL_CTX_set_max_proto_version(context, number);
}

static void Handshakes(int in_flight, double seconds) {
  Connection* connections = calloc((size_t)in_flight, sizeof(*connections));
  OpenAll(connections, in_flight);
  const double began = Now();
  while (Now() - began < seconds) Turn(100, 1);
  printf("{\"perSecond\":%.1f,\"count\":%ld,\"resumed\":%ld,\"shared\":%ld,\"failures\":%ld}\n",
         (double)handshakes / (Now() - began), handshakes, resumed, shared, failures);
}

static void Burst(int count) {
  Connection* connections = calloc((size_t)count, sizeof(*connections));
  const double began = Now();
  OpenAll(connections, count);
  for (int left = count; left > 0;) left -= Turn(10000, 0);
  printf("{\"count\":%ld,\"failures\":%ld,\"millis\":%.2f}\n", handshakes, failures, (Now() - began) * 1e3);
}

static int CompareFloats(const void* a, const void* b) {
  const float x = *(const float*)a, y = *(const float*)b;
  return (x > y) - (x < y);
}

static void Echo(int count, double seconds) {
  latencies = malloc(kMostLatencies * sizeof(*latencies));
  Connection* connections = calloc((size_t)count, sizeof(*connections));
  OpenAll(connections, count);
  while (handshakes + failures < count) Turn(100, 0);
  const double began = Now();
  messages = 0;
  while (Now() - began < seconds && failures == 0) Turn(100, 0);
  const double took = Now() - began;
  const long taken = messages < kMostLatencies ? messages : kMostLatencies;
  if (taken == 0) Die("no message came back");
  qsort(latencies, (size_t)taken, sizeof(*latencies), CompareFloats);
  printf("{\"perSecond\":%.1f,\"count\":%ld,\"failures\":%ld,\"p50Micros\":%.1f,\"p99Micros\":%.1f}\n",
         (double)messages / took, messages, failures, latencies[taken / 2], latencies[taken * 99 / 100]);
}

static void Idle(int count) {
  Connection* connections = calloc((size_t)count, sizeof(*connections));
  for (int i = 0; i < count; ++i) {
    Open(&connections[i]);
    // A server's queue of connections that it has not accepted is short.
    while (handshakes + failures < i - 64) Turn(100, 0);
  }
  while (handshakes + failures < count) Turn(100, 0);
  printf("{\"count\":%ld,\"failures\":%ld}\n", handshakes, failures);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return fprintf(stderr, "client: error: see the file's first lines\n"), 1;
  signal(SIGPIPE, SIG_IGN);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  context = SSL_CTX_new(TLS_client_method());
  if (context == NULL || epoll_fd < 0) Die("set-up");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &OnNewSession);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  const char* mode = argv[1];
  port = atoi(argv[2]);
  const int count = atoi(argv[3]);
  if (strcmp(mode, "handshakes") == 0 && argc == 7) {
    SetVersion(argv[5]);
    resumes = strcmp(argv[6], "resume") == 0;
    if (strcmp(argv[6], "psk") == 0) ShareKey();
    Handshakes(count, atof(argv[4]));
  } else if (strcmp(mode, "burst") == 0 && argc == 5) {
    SetVersion(argv[4]);
    Burst(count);
  } else if (strcmp(mode, "echo") == 0 && argc == 6) {
    message_bytes = (size_t)atol(argv[4]);
    if (message_bytes == 0 || message_bytes > kLongestMessage) Die("bytes");
    Echo(count, atof(argv[5]));
  } else if (strcmp(mode, "idle") == 0 && argc == 4) {
    stays_open = 1;
    Idle(count);
  } else {
    return fprintf(stderr, "client: error: no mode %s with %d arguments\n", mode, argc - 2), 1;
  }
  return failures > 0 && handshakes == 0;
}
