#include "tls/context.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>

#include "openssl/error_queue.h"
#include "openssl/version.h"
#include "tls/certificate_compression.h"
#include "tls/server_connection.h"

namespace openssl_async {

namespace {

constexpr const char* kFunctions[] = {
#include "tls/libssl_symbols.inc"
};

std::string FindReasonWithoutTls() {
  for (const char* name : kFunctions) {
    if (!HasSymbol(name)) return std::string("This runtime does not export ") + name + ", so it has no TLS servers.";
  }
  return "";
}

// OpenSSL's own errors say more, and have Node's codes.
Error OpensslError() { return ErrorQueue::Take().ToError("", "OpenSSL refused without a reason"); }

// Text that OpenSSL refuses is a wrong argument.
Error Refused(const char* code, const char* message) { return Error{code, message, ErrorQueue::Take().Lines()}; }

BioPointer Memory(const std::string& bytes) {
  return BioPointer(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Answers a question for a passphrase. Without one there is an error rather than a prompt; keys are tried with an empty
// one, as in Node.
int Passphrase(char* buffer, int size, int, void* data) {
  const auto* key = static_cast<const PemKey*>(data);
  if (key == nullptr) return -1;
  if (!key->has_passphrase) return 0;
  if (key->passphrase.get().size() > static_cast<size_t>(size)) return -1;
  std::copy(key->passphrase.get().begin(), key->passphrase.get().end(), buffer);
  return static_cast<int>(key->passphrase.get().size());
}

// The end of the list is no error.
bool AtEndOfPem() {
  const unsigned long last = ERR_peek_last_error();
  if (last == 0 || (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE)) {
    ERR_clear_error();
    return true;
  }
  return false;
}

// A certificate whose extensions OpenSSL cannot read is used all the same, as in Node.js. OpenSSL looks at them once: a
// handshake would take that error for its own.
bool UseLeaf(SSL_CTX* context, X509* leaf) {
  static_cast<void>(X509_get_extension_flags(leaf));
  ERR_clear_error();
  return SSL_CTX_use_certificate(context, leaf) == 1;
}

// A certificate of the server's own, then its chain.
bool UseCertificate(SSL_CTX* context, const std::string& pem) {
  const BioPointer bio = Memory(pem);
  const X509Pointer leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, &Passphrase, nullptr));
  if (leaf == nullptr || !UseLeaf(context, leaf.get())) return false;
  SSL_CTX_clear_chain_certs(context);
  while (const X509Pointer issuer{PEM_read_bio_X509(bio.get(), nullptr, &Passphrase, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) return false;
  }
  return AtEndOfPem();
}

bool UseKey(SSL_CTX* context, const PemKey& key) {
  const BioPointer bio = Memory(key.pem.get());
  const EvpPkeyPointer pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, &Passphrase, const_cast<PemKey*>(&key)));
  return pkey != nullptr && SSL_CTX_use_PrivateKey(context, pkey.get()) == 1;
}

bool AddAuthority(SSL_CTX* context, X509* certificate) {
  return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 &&
         SSL_CTX_add_client_CA(context, certificate) == 1;
}

// A certificate that OpenSSL cannot read ends the list, as in Node.js: bundles of others may have one.
bool AddAuthorities(SSL_CTX* context, const std::string& pem) {
  const BioPointer bio = Memory(pem);
  while (const X509Pointer certificate{PEM_read_bio_X509_AUX(bio.get(), nullptr, &Passphrase, nullptr)}) {
    if (!AddAuthority(context, certificate.get())) return false;
  }
  ERR_clear_error();
  return true;
}

bool AddRevocations(SSL_CTX* context, const std::string& pem) {
  const BioPointer bio = Memory(pem);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  const X509CrlPointer list(PEM_read_bio_X509_CRL(bio.get(), nullptr, &Passphrase, nullptr));
  if (list == nullptr || X509_STORE_add_crl(store, list.get()) != 1) return false;
  return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

// The errors that Node makes itself, rather than of OpenSSL's.
Error PfxError() {
  const bool is_unsupported = ERR_GET_REASON(ERR_peek_error()) == ERR_R_UNSUPPORTED;
  if (is_unsupported) return Refused("ERR_CRYPTO_UNSUPPORTED_OPERATION", "Unsupported PKCS12 PFX data");
  return OpensslError();
}

Result<void> UsePfx(SSL_CTX* context, const Pfx& pfx) {
  const BioPointer bio = Memory(pfx.der.get());
  const Pkcs12Pointer container(d2i_PKCS12_bio(bio.get(), nullptr));
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (container == nullptr || PKCS12_parse(container.get(), pfx.passphrase.get().c_str(), &key, &leaf, &others) != 1) {
    return PfxError();
  }
  const EvpPkeyPointer owned_key(key);
  const X509Pointer owned_leaf(leaf);
  const CertificatesPointer owned_others(others);
  constexpr const char* kCode = "ERR_CRYPTO_OPERATION_FAILED";
  if (key == nullptr) return Error{kCode, "Unable to load private key from PFX data", {}};
  if (leaf == nullptr) return Error{kCode, "Unable to load certificate from PFX data", {}};
  if (!UseLeaf(context, leaf) || SSL_CTX_use_PrivateKey(context, key) != 1) return PfxError();
  for (int i = 0; i < sk_X509_num(others); ++i) {
    X509* const other = sk_X509_value(others, i);
    if (SSL_CTX_add1_chain_cert(context, other) != 1 || !AddAuthority(context, other)) return PfxError();
  }
  return {};
}

// `error` is set for parameters that OpenSSL would take.
bool UseDhParameters(SSL_CTX* context, const std::string& pem, std::optional<Error>* error) {
  constexpr int kLeastDhBits = 1024;
  if (pem == "auto") return SSL_CTX_set_dh_auto(context, 1) == 1;
  const BioPointer bio = Memory(pem);
  EvpPkeyPointer parameters(PEM_read_bio_Parameters(bio.get(), nullptr));
  if (parameters != nullptr && EVP_PKEY_get_bits(parameters.get()) < kLeastDhBits) {
    *error = Error{"ERR_INVALID_ARG_VALUE", "DH parameter is less than 1024 bits", {}};
    return false;
  }
  if (parameters == nullptr || SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) != 1) return false;
  static_cast<void>(parameters.release());  // the context's
  return true;
}

bool UseVersions(SSL_CTX* context, const ContextOptions& options) {
  return SSL_CTX_set_min_proto_version(context, options.min_version) == 1 &&
         SSL_CTX_set_max_proto_version(context, options.max_version) == 1;
}

int UseTicketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                 int encrypts) {
  constexpr int kUsed = 1;
  constexpr int kUsedAndRenewed = 2;
  const int result = TlsContext::From(ssl)->ticket_keys().Use(name, iv, cipher, mac, encrypts);
  // Early data uses tickets up.
  const bool renews = encrypts == 0 && ServerConnection::TakesEarlyData(ssl);
  return result == kUsed && renews ? kUsedAndRenewed : result;
}

}  // namespace

const std::string& WithoutTlsReason() {
  static const auto* reason = new std::string(FindReasonWithoutTls());
  return *reason;
}

TlsContext::~TlsContext() = default;

// Sessions keep to the context that their connection began with.
TlsContext* TlsContext::From(SSL* ssl) {
  return static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
}

X509Pointer TlsContext::FindIssuer() const {
  const ErrorQueueScope scope;
  X509* const subject = certificate();
  if (subject == nullptr) return nullptr;
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context_.get(), &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const candidate = sk_X509_value(chain, i);
    if (X509_check_issued(candidate, subject) != X509_V_OK) continue;
    X509_up_ref(candidate);
    return X509Pointer(candidate);
  }
  return IssuerIn(SSL_CTX_get_cert_store(context_.get()), subject);
}

Result<std::shared_ptr<TlsContext>> TlsContext::Create(const ContextOptions& options) {
  const ErrorQueueScope scope;
  const std::shared_ptr<TlsContext> made(new TlsContext());
  made->context_.reset(SSL_CTX_new(TLS_method()));
  if (made->context_ == nullptr) return OpensslError();
  if (Result<void> configured = made->Configure(options); !configured.ok()) return configured.error();
  return made;
}

Result<void> TlsContext::Configure(const ContextOptions& options) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_ex_data(context, 0, this);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_SSLv2 | SSL_OP_NO_SSLv3 | options.options);
  SSL_CTX_set_session_cache_mode(context,
                                 SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  if (options.session_timeout > 0) SSL_CTX_set_timeout(context, options.session_timeout);
  SSL_CTX_set_alpn_select_cb(context, &ServerConnection::SelectProtocol, nullptr);
  SSL_CTX_sess_set_new_cb(context, &Connection::KeepSession);
  SSL_CTX_sess_set_get_cb(context, &ServerConnection::FindSession);
  SSL_CTX_set_tlsext_status_cb(context, &Connection::ExchangeStatus);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &UseTicketKey);
  SSL_CTX_set_session_ticket_cb(context, &ServerConnection::MarkTicket, nullptr, nullptr);
  if (!ticket_keys_.Prepare() || !early_tickets_.Prepare()) return OpensslError();
  if (options.ticket_keys.get().size() == TicketKeys::kBytes) {
    ticket_keys_.Set(reinterpret_cast<const unsigned char*>(options.ticket_keys.get().data()));
  } else if (!ticket_keys_.SetRandom()) {
    return OpensslError();
  }
  if (options.allow_partial_chain) X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (!UseVersions(context, options)) return OpensslError();
  if (options.has_suites && SSL_CTX_set_ciphersuites(context, options.suites.c_str()) != 1) return OpensslError();
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    return OpensslError();
  }
  if (!options.signature_algorithms.empty() &&
      SSL_CTX_set1_sigalgs_list(context, options.signature_algorithms.c_str()) != 1) {
    return OpensslError();
  }
  if (!options.curves.empty() && SSL_CTX_set1_groups_list(context, options.curves.c_str()) != 1) {
    return Refused("ERR_CRYPTO_OPERATION_FAILED", "Failed to set ECDH curve");
  }
  for (const std::string& pem : options.certificates) {
    if (!UseCertificate(context, pem)) return OpensslError();
  }
  for (const PemKey& key : options.keys) {
    if (!UseKey(context, key)) return OpensslError();
  }
  for (const GivenKey& given : options.given_keys) {
    if (SSL_CTX_use_PrivateKey(context, given.key->pkey()) != 1) return OpensslError();
    given_keys_.push_back(given);
    is_local_ = is_local_ && given.backend.empty() && !given.may_pause;
    if (!given.may_pause || !HasJobs()) continue;
    may_pause_ = true;
    const bool is_new = std::find(backends_.begin(), backends_.end(), given.backend) == backends_.end();
    if (is_new && !given.backend.empty()) backends_.push_back(given.backend);
  }
  for (const Pfx& pfx : options.pfx) {
    if (Result<void> used = UsePfx(context, pfx); !used.ok()) return used.error();
  }
  if (options.roots != nullptr && !options.roots->AddTo(SSL_CTX_get_cert_store(context))) return OpensslError();
  for (const std::string& pem : options.authorities) {
    if (!AddAuthorities(context, pem)) return OpensslError();
  }
  for (const std::string& pem : options.revocations) {
    if (!AddRevocations(context, pem)) return OpensslError();
  }
  std::optional<Error> refusal;
  if (!options.dh_parameters.empty() && !UseDhParameters(context, options.dh_parameters, &refusal)) {
    return refusal.has_value() ? *refusal : OpensslError();
  }
  if (!UseCompressions(context, options.compressions)) {
    return Refused("ERR_CRYPTO_OPERATION_FAILED", "Failed to set certificate compression preference");
  }
  return {};
}

}  // namespace openssl_async
