#include "identity.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

#include "require.h"

namespace openssl_async::fuzz {

namespace {

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

X509Pointer SelfSigned(const char* name, EVP_PKEY* key) {
  X509Pointer certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  // The clock of these programs stands still, see determinism.cc.
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), "20200101000000Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), "20990101000000Z");
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  Require(X509_sign(certificate.get(), key, EVP_sha256()) > 0, "a certificate can be signed");
  return certificate;
}

}  // namespace

Identity MakeIdentity(const char* name, KeyType type) {
  constexpr unsigned kRsaBits = 2048;
  const EvpPkeyPointer key(type == KeyType::kEc ? EVP_EC_gen("P-256") : EVP_RSA_gen(kRsaBits));
  const X509Pointer certificate = SelfSigned(name, key.get());
  const BioPointer certificate_text(BIO_new(BIO_s_mem()));
  const BioPointer key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {Text(certificate_text.get()), Text(key_text.get())};
}

std::shared_ptr<TlsContext> MakeContext(KeyType type) {
  Identity identity = MakeIdentity("server", type);
  ContextOptions options;
  options.certificates = {identity.certificate};
  options.keys.push_back({SecretText(std::move(identity.key)), SecretText(), false});
  options.min_version = TLS1_2_VERSION;
  Result<std::shared_ptr<TlsContext>> made = TlsContext::Create(options);
  Require(made.ok(), "a context can be made");
  return made.value();
}

}  // namespace openssl_async::fuzz
