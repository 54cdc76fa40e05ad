#include "hello_of_openssl.h"

#include <openssl/err.h>

#include "determinism.h"
#include "identity.h"

namespace openssl_async::fuzz {

namespace {

int OnServerName(SSL* ssl, int*, void*) {
  auto& hello = *static_cast<HelloOfOpenssl*>(SSL_get_app_data(ssl));
  hello.accepted = true;
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) hello.server_name = name;
  return SSL_TLSEXT_ERR_OK;
}

int OnProtocols(SSL* ssl, const unsigned char**, unsigned char*, const unsigned char* offered, unsigned size, void*) {
  auto& hello = *static_cast<HelloOfOpenssl*>(SSL_get_app_data(ssl));
  hello.protocols.assign(reinterpret_cast<const char*>(offered), size);
  // Everything is known: the handshake may end here.
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<TlsContext> MakeAskingContext() {
  SeedRandomness();
  std::shared_ptr<TlsContext> made = MakeContext(KeyType::kEc);
  SSL_CTX_set_tlsext_servername_callback(made->get(), &OnServerName);
  SSL_CTX_set_alpn_select_cb(made->get(), &OnProtocols, nullptr);
  // The others look for a connection.
  SSL_CTX_sess_set_get_cb(made->get(), nullptr);
  SSL_CTX_sess_set_new_cb(made->get(), nullptr);
  SSL_CTX_set_tlsext_status_cb(made->get(), nullptr);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(made->get(), nullptr);
  return made;
}

}  // namespace

HelloOfOpenssl ReadByOpenssl(ByteView bytes) {
  static const std::shared_ptr<TlsContext> context = MakeAskingContext();
  SeedRandomness();
  HelloOfOpenssl hello;
  const SslPointer ssl(SSL_new(context->get()));
  SSL_set_app_data(ssl.get(), &hello);
  BIO* const input = BIO_new(BIO_s_mem());
  BIO_write(input, bytes.data, static_cast<int>(bytes.size));
  SSL_set_bio(ssl.get(), input, BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl.get());
  SSL_do_handshake(ssl.get());
  ERR_clear_error();
  return hello;
}

}  // namespace openssl_async::fuzz
