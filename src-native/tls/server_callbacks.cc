// What OpenSSL asks and tells a server in the middle of a handshake's step, on the thread of the step or in its job.
#include <algorithm>
#include <string>

#include "tls/server_connection.h"

namespace openssl_async {

int ServerConnection::SelectProtocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                                     const unsigned char* offered, unsigned offered_size, void*) {
  const auto& self = From(ssl);
  const std::string* ours = &self.settings_->protocols;
  std::string asked;
  if (self.answer_.chose_protocol) {
    const std::string& protocol = self.answer_.protocol;
    if (protocol.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;
    asked = static_cast<char>(protocol.size()) + protocol;
    ours = &asked;
  }
  if (ours->empty()) return SSL_TLSEXT_ERR_NOACK;
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours->data()),
                                           static_cast<unsigned>(ours->size()), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  // What was found may be in `asked`: the same bytes stand in what the client has offered.
  const std::string name(reinterpret_cast<char*>(found), *size);
  for (unsigned at = 0; at + 1 <= offered_size; at += 1U + offered[at]) {
    const unsigned length = offered[at];
    if (length == name.size() && at + 1 + length <= offered_size &&
        name.compare(0, length, reinterpret_cast<const char*>(offered + at + 1), length) == 0) {
      *chosen = offered + at + 1;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Nothing is sent from here on until the user has kept the session: the client could bring it before that.
void ServerConnection::OnNewSession(SSL_SESSION* session) {
  if (!settings_->Has(TlsServerFlag::kTellsSessions) || !unfinished()) return;
  NewSession made = ToNewSession(session);
  if (made.der.get().empty()) return;
  new_sessions().push_back(std::move(made));
  HoldOutput();
}

SSL_SESSION* ServerConnection::FindSession(SSL* ssl, const unsigned char* id, int size, int* takes_reference) {
  const auto& self = From(ssl);
  const std::string& asked = self.hello_.session_id;
  *takes_reference = 1;
  const bool is_asked = asked.size() == static_cast<size_t>(size) &&
                        std::equal(asked.begin(), asked.end(), reinterpret_cast<const char*>(id));
  return is_asked ? self.answer_.session.get() : nullptr;
}

// OpenSSL's answer to 0 is an alert, or under TLS 1.3 the client's next identity: it asks for all up to the one that it
// uses.
unsigned ServerConnection::GiveKey(SSL* ssl, const char* identity, unsigned char* key, unsigned most) {
  auto& self = From(ssl);
  const SharedKey& given = self.answer_.key;
  const std::string& bytes = given.bytes.get();
  self.gave_key_ = identity != nullptr && given.identity == identity && !bytes.empty() && bytes.size() <= most;
  if (!self.gave_key_) return 0;
  std::copy(bytes.begin(), bytes.end(), key);
  return static_cast<unsigned>(bytes.size());
}

// Asked again after a HelloRetryRequest.
int ServerConnection::OnStatus(SSL* ssl) {
  const std::string& status = answer_.status;
  if (status.empty()) return SSL_TLSEXT_ERR_NOACK;
  void* const copy = OPENSSL_memdup(status.data(), status.size());
  if (copy == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(status.size()));
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace openssl_async
