#include "tls/trusted_roots.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "openssl/error_queue.h"

namespace openssl_async {

// A text that has no certificate, or a bad one, adds nothing after its good ones: as in Node.js, where such a file is a
// warning.
Result<std::shared_ptr<TrustedRoots>> TrustedRoots::Create(const std::vector<std::string>& pems, bool uses_paths) {
  const ErrorQueueScope scope;
  const std::shared_ptr<TrustedRoots> made(new TrustedRoots());
  made->uses_paths_ = uses_paths;
  for (const std::string& pem : pems) {
    const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (bio == nullptr) return ErrorQueue::Take().ToError("", "OpenSSL refused without a reason");
    while (X509Pointer certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
      made->certificates_.push_back(std::move(certificate));
    }
    ERR_clear_error();
  }
  made->store_.reset(X509_STORE_new());
  if (made->store_ != nullptr && made->AddTo(made->store_.get())) return made;
  return ErrorQueue::Take().ToError("", "OpenSSL refused without a reason");
}

bool TrustedRoots::AddTo(X509_STORE* store) const {
  for (const X509Pointer& certificate : certificates_) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return false;
  }
  return !uses_paths_ || X509_STORE_set_default_paths(store) == 1;
}

}  // namespace openssl_async
