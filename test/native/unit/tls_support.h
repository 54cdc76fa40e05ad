// Shared by the native tests of TLS: certificates and settings of servers.
#pragma once

#include <openssl/pem.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support.h"
#include "tls/server_connection.h"
#include "tls/server_settings.h"

namespace openssl_async::testing {

inline std::string Pem(int (*write)(BIO*, void*), void* object) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  REQUIRE(write(bio.get(), object) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

struct Identity {
  std::string certificate;
  std::string key;
};

inline Identity SelfSigned(const char* name) {
  const EvpPkeyPointer key(EVP_EC_gen("P-256"));
  const X509Pointer certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return {Pem([](BIO* bio, void* object) { return PEM_write_bio_X509(bio, static_cast<X509*>(object)); },
              certificate.get()),
          Pem(
              [](BIO* bio, void* object) {
                return PEM_write_bio_PrivateKey(bio, static_cast<EVP_PKEY*>(object), nullptr, nullptr, 0, nullptr,
                                                nullptr);
              },
              key.get())};
}

inline void UseKey(ContextOptions& options, std::string pem) {
  options.keys.clear();
  options.keys.push_back({SecretText(std::move(pem)), SecretText(), false});
}

inline std::shared_ptr<TlsContext> ContextOf(const Identity& identity) {
  ContextOptions options;
  options.certificates = {identity.certificate};
  UseKey(options, identity.key);
  options.min_version = TLS1_2_VERSION;
  Result<std::shared_ptr<TlsContext>> context = TlsContext::Create(options);
  REQUIRE(context.ok());
  return context.value();
}

inline std::shared_ptr<ServerSettings> Settings() {
  static const Identity identity = SelfSigned("default");
  auto settings = std::make_shared<ServerSettings>();
  settings->context = ContextOf(identity);
  return settings;
}

// What a connection tells.
struct Told {
  TlsEventKind kind;
  int32_t value;
};

class Recorder final : public ConnectionEvents {
 public:
  unsigned char* Room(size_t* size) override {
    *size = room_.size();
    return room_.data();
  }
  void OnData(Connection&, size_t size) override {
    text.append(reinterpret_cast<char*>(room_.data()), size);
    told.push_back({TlsEventKind::kData, 0});
  }
  void OnKeyLog(Connection&, const char* line) override { key_log.emplace_back(line); }
  void OnEvent(Connection&, TlsEventKind kind, int32_t value) override { told.push_back({kind, value}); }

  bool Heard(TlsEventKind kind) const {
    for (const Told& each : told) {
      if (each.kind == kind) return true;
    }
    return false;
  }

  std::string text;
  std::vector<Told> told;
  std::vector<std::string> key_log;

 private:
  std::vector<unsigned char> room_ = std::vector<unsigned char>(Connection::kTurnBytes);
};

}  // namespace openssl_async::testing
