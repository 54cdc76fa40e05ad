#include "tls/session_details.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "openssl/error_queue.h"
#include "openssl/version.h"

namespace openssl_async {

namespace {

// `encode` is one of OpenSSL's i2d_ functions: the size without memory, then the bytes.
template <typename Encode>
std::string Encoded(Encode encode) {
  const int size = encode(nullptr);
  if (size <= 0) return "";
  std::string bytes(static_cast<size_t>(size), '\0');
  auto* place = reinterpret_cast<unsigned char*>(bytes.data());
  encode(&place);
  return bytes;
}

const char* NameOf(int nid) { return nid == NID_undef ? "UNDEF" : OBJ_nid2sn(nid); }

const char* SignatureName(int nid) {
  switch (nid) {
    case EVP_PKEY_RSA:
      return "RSA";
    case EVP_PKEY_RSA_PSS:
      return "RSA-PSS";
    case EVP_PKEY_DSA:
      return "DSA";
    case EVP_PKEY_EC:
      return "ECDSA";
    case NID_ED25519:
      return "Ed25519";
    case NID_ED448:
      return "Ed448";
    default:
      return NameOf(nid);
  }
}

}  // namespace

std::string ToDer(X509* certificate) {
  return Encoded([certificate](unsigned char** place) { return i2d_X509(certificate, place); });
}

X509Pointer IssuerIn(X509_STORE* store, X509* subject) {
  const ErrorQueueScope scope;
  const X509StoreContextPointer search(X509_STORE_CTX_new());
  X509* issuer = nullptr;
  if (search == nullptr || X509_STORE_CTX_init(search.get(), store, nullptr, nullptr) != 1 ||
      X509_STORE_CTX_get1_issuer(&issuer, search.get(), subject) != 1) {
    return nullptr;
  }
  return X509Pointer(issuer);
}

namespace {

// As Node.js has it: a resumed session has no chain, and for a client no certificate then.
std::vector<X509Pointer> Sent(SSL* ssl) {
  std::vector<X509Pointer> sent;
  STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl);
  sent.reserve(static_cast<size_t>(std::max(sk_X509_num(chain), 0)) + 1);
  if (SSL_is_server(ssl) == 1) {
    X509Pointer leaf(SSL_get1_peer_certificate(ssl));
    if (leaf == nullptr) return sent;
    sent.push_back(std::move(leaf));
  }
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const certificate = sk_X509_value(chain, i);
    X509_up_ref(certificate);
    sent.emplace_back(certificate);
  }
  return sent;
}

std::vector<std::string> ToDers(const std::vector<X509Pointer>& certificates) {
  std::vector<std::string> ders(certificates.size());
  std::transform(certificates.begin(), certificates.end(), ders.begin(),
                 [](const X509Pointer& each) { return ToDer(each.get()); });
  return ders;
}

}  // namespace

std::vector<std::string> SentCertificates(SSL* ssl) { return ToDers(Sent(ssl)); }

std::vector<std::string> PeerCertificates(SSL* ssl) {
  const ErrorQueueScope scope;
  std::vector<X509Pointer> sent = Sent(ssl);
  std::vector<X509Pointer> found;
  const auto issues = [&](const X509Pointer& each) {
    return X509_check_issued(each.get(), found.back().get()) == X509_V_OK;
  };
  const auto take = [&](std::vector<X509Pointer>::iterator place) {
    X509Pointer certificate = std::move(*place);
    sent.erase(place);
    found.push_back(std::move(certificate));
  };
  if (sent.empty()) return {};
  take(sent.begin());
  for (auto place = sent.begin(); place != sent.end();) {
    place = std::find_if(sent.begin(), sent.end(), issues);
    if (place == sent.end()) break;
    take(place);
    place = sent.begin();
  }
  X509_STORE* store = nullptr;
  SSL_get0_verify_cert_store(ssl, &store);
  if (store == nullptr) store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
  while (!issues(found.back())) {
    X509Pointer issuer = IssuerIn(store, found.back().get());
    if (issuer == nullptr || issuer.get() == found.back().get()) break;
    found.push_back(std::move(issuer));
  }
  return ToDers(found);
}

std::string OwnCertificate(SSL* ssl) {
  X509* const certificate = SSL_get_certificate(ssl);
  return certificate == nullptr ? "" : ToDer(certificate);
}

long VerifyResult(SSL* ssl) {
  const X509Pointer leaf(SSL_get1_peer_certificate(ssl));
  if (leaf != nullptr) return SSL_get_verify_result(ssl);
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  return cipher != nullptr && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk ? X509_V_OK : -1;
}

CipherNames CipherOf(SSL* ssl) {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl);
  if (cipher == nullptr) return {};
  return {SSL_CIPHER_get_name(cipher), SSL_CIPHER_standard_name(cipher), SSL_CIPHER_get_version(cipher)};
}

std::string ProtocolOf(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(name), size);
}

std::string SessionOf(SSL* ssl) {
  SSL_SESSION* const session = SSL_get_session(ssl);
  if (session == nullptr) return "";
  return Encoded([session](unsigned char** place) { return i2d_SSL_SESSION(session, place); });
}

NewSession ToNewSession(SSL_SESSION* session) {
  constexpr int kMostBytes = 10 * 1024;  // as in Node.js
  unsigned size = 0;
  const auto* const id = reinterpret_cast<const char*>(SSL_SESSION_get_id(session, &size));
  NewSession made = {std::string(id, size), SecretText()};
  if (i2d_SSL_SESSION(session, nullptr) > kMostBytes) return made;
  made.der = SecretText(Encoded([session](unsigned char** place) { return i2d_SSL_SESSION(session, place); }));
  return made;
}

SslSessionPointer ToSession(ByteView der) {
  const ErrorQueueScope scope;
  const unsigned char* place = der.data;
  return SslSessionPointer(d2i_SSL_SESSION(nullptr, &place, static_cast<long>(der.size)));
}

std::string TicketOf(SSL* ssl) {
  const unsigned char* ticket = nullptr;
  size_t size = 0;
  const SSL_SESSION* const session = SSL_get_session(ssl);
  if (session != nullptr) SSL_SESSION_get0_ticket(session, &ticket, &size);
  return ticket == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(ticket), size);
}

std::string FinishedOf(SSL* ssl, bool is_peers) {
  const auto get = is_peers ? &SSL_get_peer_finished : &SSL_get_finished;
  char none = 0;
  const size_t size = get(ssl, &none, 0);
  std::string bytes(size, '\0');
  if (size > 0) get(ssl, bytes.data(), size);
  return bytes;
}

std::vector<std::string> SharedSignatureAlgorithms(SSL* ssl) {
  std::vector<std::string> names;
  const int count = SSL_get_shared_sigalgs(ssl, 0, nullptr, nullptr, nullptr, nullptr, nullptr);
  for (int i = 0; i < count; ++i) {
    int signature = NID_undef;
    int hash = NID_undef;
    SSL_get_shared_sigalgs(ssl, i, &signature, &hash, nullptr, nullptr, nullptr);
    names.push_back(std::string(SignatureName(signature)) + "+" + NameOf(hash));
  }
  return names;
}

namespace {

// Empty for keys that are neither of Diffie-Hellman nor of a curve, as those of ML-KEM.
EphemeralKey PeersTemporaryKey(SSL* ssl) {
  EVP_PKEY* raw = nullptr;
  if (SSL_get_peer_tmp_key(ssl, &raw) != 1) return {};
  const EvpPkeyPointer key(raw);
  const int kind = EVP_PKEY_get_base_id(key.get());
  const int bits = EVP_PKEY_get_bits(key.get());
  if (kind == EVP_PKEY_DH) return {"DH", "", bits};
  if (kind == EVP_PKEY_X25519 || kind == EVP_PKEY_X448) return {"ECDH", OBJ_nid2sn(kind), bits};
  char curve[64];
  size_t size = 0;
  if (kind != EVP_PKEY_EC || EVP_PKEY_get_group_name(key.get(), curve, sizeof(curve), &size) != 1) return {};
  return {"ECDH", std::string(curve, size), bits};
}

}  // namespace

EphemeralKey EphemeralKeyOf(SSL* ssl) {
  EphemeralKey described = PeersTemporaryKey(ssl);
  const auto get_group_name = GetOptionalSymbols().ssl_get0_group_name;
  // Without a session, OpenSSL has no group, and looks for it in the session.
  if (!described.type.empty() || get_group_name == nullptr || SSL_get_session(ssl) == nullptr) return described;
  const char* const group = get_group_name(ssl);
  return group == nullptr ? EphemeralKey{} : EphemeralKey{"TLSGroup", group, 0};
}

std::string ExportKeyingMaterial(SSL* ssl, size_t size, const std::string& label, const std::string& context,
                                 bool has_context) {
  const ErrorQueueScope scope;
  std::string bytes(size, '\0');
  const int result = SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(bytes.data()), size, label.data(),
                                                label.size(), reinterpret_cast<const unsigned char*>(context.data()),
                                                context.size(), has_context ? 1 : 0);
  return result == 1 ? bytes : std::string();
}

}  // namespace openssl_async
