// Keys that somebody else holds, in jobs that our scheduler does not drive: any program that uses such a key in an
// OpenSSL job can wait for it, libssl too.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <thread>

#include "accelerator_keys.h"
#include "openssl/own_errors.h"
#include "remote/create_key.h"
#include "remote/delegated_key.h"

namespace openssl_async::testing {

namespace {

using SslCtxPointer = DeleteFnPtr<SSL_CTX, SSL_CTX_free>;
using SslPointer = DeleteFnPtr<SSL, SSL_free>;
using X509Pointer = DeleteFnPtr<X509, X509_free>;

constexpr uint32_t kAll = 7;
const Bytes kMessage(100, 'm');

// The part of JavaScript.
class Service final : public RemoteRequests::Delegate {
 public:
  struct Asked {
    uint64_t id;
    uint32_t job;
    RemoteOperation operation;
    Bytes bytes;
    std::string digest;
    int padding;
    int salt_length;
  };

  void OnRemoteRequest() override { ++noted; }
  uint32_t RunningJob() const override { return 7; }

  std::vector<Asked> Take() {
    std::vector<Asked> taken;
    for (const uint64_t id : requests->TakeNew()) {
      const auto request = requests->Look(id);
      if (!request.has_value()) continue;
      const RemoteQuestion& question = *request->question;
      taken.push_back({id, request->job, question.operation,
                       Bytes(question.bytes.data, question.bytes.data + question.bytes.size),
                       question.digest == nullptr ? "" : question.digest, question.padding, question.salt_length});
    }
    return taken;
  }

  EvpPkeyPointer KeyFor(EVP_PKEY* plain, uint32_t operations = kAll, bool verifies = false) {
    auto holder = std::make_shared<RemoteHolder>();
    holder->requests = requests;
    holder->operations = operations;
    holder->verifies = verifies;
    const Bytes spki = PublicDer(plain);
    Result<std::shared_ptr<Key>> key = CreateRemoteKey({spki.data(), spki.size()}, nullptr, std::move(holder));
    REQUIRE(key.ok());
    EVP_PKEY_up_ref(key.value()->pkey());
    return EvpPkeyPointer(key.value()->pkey());
  }

  unsigned noted = 0;
  const std::shared_ptr<RemoteRequests> requests = std::make_shared<RemoteRequests>(*this);
};

ByteView View(const Bytes& bytes) { return {bytes.data(), bytes.size()}; }

// In the process's default library context, as programs have it that know of no other.
Bytes SignMessage(EVP_PKEY* key, const char* digest = nullptr, const Bytes& message = kMessage) {
  const EvpMdCtxPointer context(EVP_MD_CTX_new());
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t size = signature.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

// The answer of the holder of `plain`.
Bytes SignAsAsked(EVP_PKEY* plain, const Service::Asked& asked) {
  if (asked.digest.empty()) return SignMessage(plain, nullptr, asked.bytes);
  const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_pkey(nullptr, plain, nullptr));
  const EvpMdPointer digest(EVP_MD_fetch(nullptr, asked.digest.c_str(), nullptr));
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(plain)));
  size_t size = signature.size();
  REQUIRE(EVP_PKEY_sign_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_CTX_set_signature_md(context.get(), digest.get()) == 1);
  if (asked.padding > 0) REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), asked.padding) == 1);
  if (asked.salt_length >= 0) REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), asked.salt_length) == 1);
  REQUIRE(EVP_PKEY_sign(context.get(), signature.data(), &size, asked.bytes.data(), asked.bytes.size()) == 1);
  signature.resize(size);
  return signature;
}

// The first error of ours in the queue, which is empty afterwards; 0 for none.
int TakeOwnError() {
  int found = 0;
  for (const auto& [library, reason] : TakeErrors()) {
    if (library == OwnErrorLibrary() && found == 0) found = reason;
  }
  return found;
}

constexpr int kFailed = static_cast<int>(OwnReason::kRemoteKeyFailed);
constexpr int kCannotWait = static_cast<int>(OwnReason::kRemoteKeyCannotWait);
constexpr int kUnsupported = static_cast<int>(OwnReason::kRemoteKeyUnsupported);

// A certificate of `plain`, signed by itself.
X509Pointer CertificateOf(EVP_PKEY* plain) {
  X509Pointer certificate(X509_new());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>("remote");
  REQUIRE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
  REQUIRE(X509_set_issuer_name(certificate.get(), name) == 1);
  REQUIRE(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) == 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  REQUIRE(X509_set_pubkey(certificate.get(), plain) == 1);
  const EVP_MD* digest = EVP_PKEY_is_a(plain, "ED25519") == 1 ? nullptr : EVP_sha256();
  REQUIRE(X509_sign(certificate.get(), plain, digest) > 0);
  return certificate;
}

}  // namespace

TEST_SUITE("remote keys") {
  TEST_CASE("a job pauses until it is answered, and is told in the way that its application chose") {
    for (const Wait wait : {Wait::kCallback, Wait::kFd}) {
      WithJobs([&] {
        Service service;
        const EvpPkeyPointer plain = PlainKey("ED25519", "", 0);
        const EvpPkeyPointer key = service.KeyFor(plain.get());
        Bytes signature;
        HandJob job([&] { signature = SignMessage(key.get()); }, wait);
        REQUIRE(job.Step());
        CHECK(service.noted == 1);
        const std::vector<Service::Asked> asked = service.Take();
        REQUIRE(asked.size() == 1);
        CHECK(asked[0].job == 7);
        CHECK(asked[0].operation == RemoteOperation::kSign);
        CHECK(asked[0].bytes == kMessage);
        CHECK(service.Take().empty());
        // A resume that nobody asked for.
        CHECK_FALSE((wait == Wait::kFd ? job.fd_readable() : job.told()));
        REQUIRE(job.Step());
        const Bytes answer = SignMessage(plain.get());
        service.requests->Answer(asked[0].id, View(answer));
        job.AwaitWakeUp();
        REQUIRE_FALSE(job.Step());
        CHECK(signature == answer);
        CHECK(service.requests->size() == 0);
        // Too late, all of these.
        service.requests->Answer(asked[0].id, View(answer));
        service.requests->Refuse(asked[0].id, OwnReason::kRemoteKeyTimeout, "late");
      });
    }
  }

  TEST_CASE("requests of many jobs are taken together, in the order in which they were made") {
    WithJobs([] {
      Service service;
      const EvpPkeyPointer plain = PlainKey("EC", "P-256", 0);
      const EvpPkeyPointer key = service.KeyFor(plain.get(), kAll, true);
      constexpr size_t kJobs = 10;
      std::vector<Bytes> signatures(kJobs);
      std::vector<std::unique_ptr<HandJob>> jobs;
      for (Bytes& signature : signatures) {
        jobs.push_back(std::make_unique<HandJob>([&] { signature = SignMessage(key.get(), "SHA256"); }));
        REQUIRE(jobs.back()->Step());
      }
      const std::vector<Service::Asked> asked = service.Take();
      REQUIRE(asked.size() == kJobs);
      for (size_t i = 0; i < kJobs; ++i) {
        CHECK(asked[i].id == asked[0].id + i);
        CHECK(asked[i].digest.find("256") != std::string::npos);
        const Bytes answer = SignAsAsked(plain.get(), asked[i]);
        service.requests->Answer(asked[i].id, View(answer));
        jobs[i]->RunToEnd();
        CHECK(signatures[i] == answer);
      }
    });
  }

  TEST_CASE("where nobody can wait, nobody is asked") {
    WithJobs([] {
      Service service;
      const EvpPkeyPointer key = service.KeyFor(PlainKey("ED25519", "", 0).get());
      SUBCASE("outside jobs") {
        CHECK(SignMessage(key.get()).empty());
        CHECK(TakeOwnError() == kCannotWait);
        CHECK(service.noted == 0);
      }
      SUBCASE("on another thread than the key's") {
        int error = 0;
        std::thread([&] {
          HandJob([&] {
            SignMessage(key.get());
            error = TakeOwnError();
          }).RunToEnd();
          ASYNC_cleanup_thread();
        }).join();
        CHECK(error == kCannotWait);
        CHECK(service.noted == 0);
      }
      SUBCASE("while pauses are blocked") {
        int error = 0;
        HandJob job([&] {
          ASYNC_block_pause();
          SignMessage(key.get());
          error = TakeOwnError();
          ASYNC_unblock_pause();
        });
        CHECK_FALSE(job.Step());
        CHECK(error == kCannotWait);
        // Its stack has gone.
        CHECK(service.Take().empty());
        CHECK(service.requests->size() == 0);
      }
    });
  }

  TEST_CASE("a holder is not asked for an operation that it has no function for") {
    WithJobs([] {
      Service service;
      const EvpPkeyPointer key = service.KeyFor(PlainKey("ED25519", "", 0).get(), 0);
      int error = 0;
      CHECK_FALSE(HandJob([&] {
                    SignMessage(key.get());
                    error = TakeOwnError();
                  }).Step());
      CHECK(error == kUnsupported);
    });
  }

  TEST_CASE("once closed, all requests fail, later ones too") {
    WithJobs([] {
      Service service;
      const EvpPkeyPointer key = service.KeyFor(PlainKey("ED25519", "", 0).get());
      std::vector<int> errors;
      const auto body = [&] {
        SignMessage(key.get());
        errors.push_back(TakeOwnError());
      };
      HandJob taken(body);
      HandJob waiting(body);
      REQUIRE(taken.Step());
      REQUIRE(service.Take().size() == 1);
      REQUIRE(waiting.Step());
      service.requests->Close();
      taken.AwaitWakeUp();
      waiting.AwaitWakeUp();
      CHECK_FALSE(taken.Step());
      CHECK_FALSE(waiting.Step());
      CHECK_FALSE(HandJob(body).Step());
      CHECK(errors == std::vector<int>(3, kFailed));
      CHECK(service.Take().empty());
    });
  }

  TEST_CASE("the private part is not exported") {
    Service service;
    const EvpPkeyPointer key = service.KeyFor(PlainKey("RSA", "1536", 0).get());
    OSSL_PARAM* params = nullptr;
    CHECK(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params) != 1);
    REQUIRE(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &params) == 1);
    OSSL_PARAM_free(params);
    CHECK(PublicDer(key.get()) == PublicDer(PlainKey("RSA", "1536", 0).get()));
    CHECK(PrivateDer(key.get()).empty());
    TakeErrors();
  }

  TEST_CASE("a key that another one signs for, at once, in every form") {
    struct Case {
      const char* type;
      const char* option;
      const char* digest;
      int padding;
    };
    for (const Case& each :
         {Case{"RSA", "1536", "SHA256", RSA_PKCS1_PADDING}, Case{"RSA", "1536", "SHA384", RSA_PKCS1_PSS_PADDING},
          Case{"EC", "P-256", "SHA256", 0}, Case{"EC", "P-384", "SHA384", 0}, Case{"ED25519", "", nullptr, 0}}) {
      CAPTURE(each.type);
      CAPTURE(each.padding);
      const EvpPkeyPointer plain = PlainKey(each.type, each.option, 0);
      const Bytes spki = PublicDer(plain.get());
      EVP_PKEY_up_ref(plain.get());
      const auto other = std::make_shared<Key>(EvpPkeyPointer(plain.get()), ProviderScope());
      Result<std::shared_ptr<Key>> made = DelegateTo(other, View(spki));
      REQUIRE(made.ok());
      EVP_PKEY* const key = made.value()->pkey();
      const EvpMdCtxPointer signing(EVP_MD_CTX_new());
      EVP_PKEY_CTX* parameters = nullptr;
      Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key)));
      size_t size = signature.size();
      REQUIRE(EVP_DigestSignInit_ex(signing.get(), &parameters, each.digest, nullptr, nullptr, key, nullptr) == 1);
      if (each.padding != 0) REQUIRE(EVP_PKEY_CTX_set_rsa_padding(parameters, each.padding) == 1);
      REQUIRE(EVP_DigestSign(signing.get(), signature.data(), &size, kMessage.data(), kMessage.size()) == 1);
      const EvpMdCtxPointer verifying(EVP_MD_CTX_new());
      REQUIRE(EVP_DigestVerifyInit_ex(verifying.get(), &parameters, each.digest, nullptr, nullptr, plain.get(),
                                      nullptr) == 1);
      if (each.padding != 0) REQUIRE(EVP_PKEY_CTX_set_rsa_padding(parameters, each.padding) == 1);
      CHECK(EVP_DigestVerify(verifying.get(), signature.data(), size, kMessage.data(), kMessage.size()) == 1);
    }
  }

  TEST_CASE("libssl signs its handshakes with such a key") {
    struct Case {
      const char* type;
      const char* option;
      int version;
    };
    constexpr Case kCases[] = {
        {"RSA", "2048", TLS1_2_VERSION}, {"RSA", "2048", TLS1_3_VERSION}, {"EC", "P-256", TLS1_2_VERSION},
        {"EC", "P-256", TLS1_3_VERSION}, {"ED25519", "", TLS1_3_VERSION},
    };
    for (const auto& [type, option, version] : kCases) {
      const std::string name = std::string(type) + " " + std::to_string(version);
      CAPTURE(name);
      WithJobs([&, type = type, option = option, version = version] {
        Service service;
        const EvpPkeyPointer plain = PlainKey(type, option, 0);
        const EvpPkeyPointer key = service.KeyFor(plain.get());
        const X509Pointer certificate = CertificateOf(plain.get());
        const SslCtxPointer server_context(SSL_CTX_new(TLS_server_method()));
        const SslCtxPointer client_context(SSL_CTX_new(TLS_client_method()));
        REQUIRE(SSL_CTX_use_certificate(server_context.get(), certificate.get()) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(server_context.get(), key.get()) == 1);
        REQUIRE(SSL_CTX_check_private_key(server_context.get()) == 1);
        for (SSL_CTX* context : {server_context.get(), client_context.get()}) {
          REQUIRE(SSL_CTX_set_min_proto_version(context, version) == 1);
          REQUIRE(SSL_CTX_set_max_proto_version(context, version) == 1);
        }
        const SslPointer server(SSL_new(server_context.get()));
        const SslPointer client(SSL_new(client_context.get()));
        BIO* server_end = nullptr;
        BIO* client_end = nullptr;
        REQUIRE(BIO_new_bio_pair(&server_end, 65536, &client_end, 65536) == 1);
        SSL_set_bio(server.get(), server_end, server_end);
        SSL_set_bio(client.get(), client_end, client_end);
        SSL_set_accept_state(server.get());
        SSL_set_connect_state(client.get());
        unsigned signatures = 0;
        int client_result = 0;
        int server_result = 0;
        for (int turns = 0; turns < 10 && (client_result != 1 || server_result != 1); ++turns) {
          client_result = SSL_do_handshake(client.get());
          HandJob job([&] { server_result = SSL_do_handshake(server.get()); });
          while (job.Step()) {
            for (const Service::Asked& asked : service.Take()) {
              ++signatures;
              service.requests->Answer(asked.id, View(SignAsAsked(plain.get(), asked)));
            }
            job.AwaitWakeUp();
          }
        }
        CHECK(client_result == 1);
        CHECK(server_result == 1);
        CHECK(signatures == 1);
        TakeErrors();
      });
    }
  }
}

}  // namespace openssl_async::testing
