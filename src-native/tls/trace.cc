// Messages of a connection as text on stderr, for people who look for faults.
#include <cstdio>

#include "openssl/error_queue.h"
#include "openssl/version.h"
#include "tls/connection.h"

namespace openssl_async {

namespace {

// In the middle of OpenSSL's functions, whose errors stay. Each message is one write: threads trace at the same time.
void WriteMessage(int is_sent, int version, int type, const void* bytes, size_t size, SSL* ssl, void*) {
  ERR_set_mark();
  if (const BioPointer text{BIO_new(BIO_s_mem())}) {
    GetOptionalSymbols().ssl_trace(is_sent, version, type, bytes, size, ssl, text.get());
    char* lines = nullptr;
    const long length = BIO_get_mem_data(text.get(), &lines);
    if (length > 0) fwrite(lines, 1, static_cast<size_t>(length), stderr);
  }
  ERR_pop_to_mark();
}

}  // namespace

void Connection::Trace() {
  traces_ = true;
  if (ssl_ != nullptr && GetOptionalSymbols().ssl_trace != nullptr) SSL_set_msg_callback(ssl_.get(), &WriteMessage);
}

}  // namespace openssl_async
