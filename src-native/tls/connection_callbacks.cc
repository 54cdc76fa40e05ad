// What OpenSSL asks and tells a connection in the middle of a handshake's step, on the thread of the step or in its job.
#include <cstring>
#include <string>

#include "tls/connection.h"

namespace openssl_async {

int Connection::SelectProtocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                               const unsigned char* offered, unsigned offered_size, void*) {
  const auto& self = *static_cast<Connection*>(SSL_get_ex_data(ssl, 0));
  const std::string* ours = &self.settings_->protocols;
  std::string asked;
  if (self.chose_protocol_) {
    if (self.protocol_.empty()) return SSL_TLSEXT_ERR_ALERT_FATAL;
    asked = static_cast<char>(self.protocol_.size()) + self.protocol_;
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

// Clients renew keys as often as they like, while plaintext is read: a turn has no room for those lines. Readers of key
// logs know the later secrets from the first ones.
void Connection::LogKey(const SSL* ssl, const char* line) {
  if (strstr(line, "_TRAFFIC_SECRET_N ") != nullptr) return;
  auto* const self = static_cast<Connection*>(SSL_get_ex_data(ssl, 0));
  if (self == nullptr || !self->settings_->Has(TlsServerFlag::kLogsKeys)) return;
  if (self->is_in_job()) {
    self->lines_of_step_.emplace_back(line);
  } else {
    self->events_->OnKeyLog(*self, line);
  }
}

}  // namespace openssl_async
