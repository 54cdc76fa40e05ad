#include "operations/digest.h"

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

class DigestSpec : public OperationSpec {
 public:
  DigestSpec(EvpMdPointer digest, size_t size) : digest_(std::move(digest)), size_(size) {
    is_default_size_ = size_ == static_cast<size_t>(EVP_MD_get_size(digest_.get()));
  }

  bool Run(Operation& operation) override {
    unsigned char* output = operation.Reserve(0, size_);
    if (output == nullptr) throw std::bad_alloc();
    EvpMdCtxPointer context = contexts_.Take();
    if (!context) context.reset(EVP_MD_CTX_new());
    const ByteView data = operation.input(0);
    if (!context || EVP_DigestInit_ex2(context.get(), digest_.get(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), data.data, data.size) != 1 ||
        (is_default_size_ ? EVP_DigestFinal_ex(context.get(), output, nullptr)
                          : EVP_DigestFinalXOF(context.get(), output, size_)) != 1) {
      return false;
    }
    contexts_.Put(std::move(context));
    return true;
  }

 private:
  const EvpMdPointer digest_;
  const size_t size_;
  bool is_default_size_ = false;
  ContextCache<EvpMdCtxPointer> contexts_;
};

}  // namespace

SpecResult CreateDigestSpec(SpecRequest request) {
  const ErrorQueueScope errors;
  EvpMdPointer digest = FetchDigest(request.names[0], request.scope);
  if (!digest) return Error{"ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + request.names[0], {}};
  size_t size = static_cast<size_t>(EVP_MD_get_size(digest.get()));
  if (request.has(0) && static_cast<size_t>(request.integer(0)) != size) {
    if ((EVP_MD_get_flags(digest.get()) & EVP_MD_FLAG_XOF) == 0) {
      return Error{"ERR_CRYPTO_OPERATION_FAILED", "Unsupported state or unable to set the output length", {}};
    }
    size = static_cast<size_t>(request.integer(0));
  }
  return std::shared_ptr<OperationSpec>(std::make_shared<DigestSpec>(std::move(digest), size));
}

}  // namespace openssl_async
