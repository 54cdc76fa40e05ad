#include "operations/digest.h"

#include <openssl/err.h>
#include <openssl/evperr.h>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

// A digest and the wanted size of its output.
class DigestChoice {
 public:
  DigestChoice(EvpMdPointer digest, size_t size)
      : digest_(std::move(digest)), size_(size), is_extendable_(IsExtendable(digest_.get())) {}

  // The bytes that Finish() adds to the work of a call.
  size_t output_work() const { return is_extendable_ ? size_ : 0; }
  const OSSL_PROVIDER* provider() const { return EVP_MD_get0_provider(digest_.get()); }
  bool Init(EVP_MD_CTX* context) const { return EVP_DigestInit_ex2(context, digest_.get(), nullptr) == 1; }
  bool Finish(EVP_MD_CTX* context, Operation& operation) const {
    unsigned char* output = operation.Reserve(0, size_);
    if (output == nullptr) throw std::bad_alloc();
    if (size_ == 0) return true;
    return (is_extendable_ ? EVP_DigestFinalXOF(context, output, size_)
                           : EVP_DigestFinal_ex(context, output, nullptr)) == 1;
  }

 private:
  EvpMdPointer digest_;
  size_t size_;
  bool is_extendable_;
};

class DigestSpec : public OperationSpec {
 public:
  explicit DigestSpec(DigestChoice choice) : choice_(std::move(choice)) {}

  bool Run(Operation& operation) override {
    const CacheEpoch epoch;
    EvpMdCtxPointer context = contexts_.Take();
    if (!context) context.reset(EVP_MD_CTX_new());
    const ByteView data = operation.input(0);
    if (!context || !choice_.Init(context.get()) || EVP_DigestUpdate(context.get(), data.data, data.size) != 1 ||
        !choice_.Finish(context.get(), operation)) {
      return false;
    }
    contexts_.Put(std::move(context), epoch);
    return true;
  }
  size_t WorkBytes(const Operation& operation) const override {
    return OperationSpec::WorkBytes(operation) + choice_.output_work();
  }
  const OSSL_PROVIDER* Provider() override { return choice_.provider(); }

 private:
  const DigestChoice choice_;
  ContextCache<EvpMdCtxPointer> contexts_;
};

class DigestStreamSpec : public OperationSpec {
 public:
  explicit DigestStreamSpec(DigestChoice choice) : choice_(std::move(choice)), context_(EVP_MD_CTX_new()) {}

  // Starts empty, or with another stream's state.
  bool Start(const OperationSpec* source) {
    if (!context_) return false;
    const auto* stream = static_cast<const DigestStreamSpec*>(source);
    return stream == nullptr ? choice_.Init(context_.get())
                             : EVP_MD_CTX_copy_ex(context_.get(), stream->context_.get()) == 1;
  }

  bool Run(Operation& operation) override {
    for (size_t i = 0; i < kMaxInputs; ++i) {
      const ByteView part = operation.input(i);
      if (part.size > 0 && EVP_DigestUpdate(context_.get(), part.data, part.size) != 1) return false;
    }
    return operation.number(0) == 0 || choice_.Finish(context_.get(), operation);
  }
  size_t WorkBytes(const Operation& operation) const override {
    const size_t output_work = operation.number(0) == 0 ? 0 : choice_.output_work();
    return OperationSpec::WorkBytes(operation) + output_work;
  }
  const OSSL_PROVIDER* Provider() override { return choice_.provider(); }

 private:
  const DigestChoice choice_;
  const EvpMdCtxPointer context_;
};

size_t SizeOf(const SpecRequest& request, const EVP_MD* digest) {
  return request.has(DigestNumber::kOutputLength) ? static_cast<size_t>(request.numbers[DigestNumber::kOutputLength])
                                                  : DefaultSizeOf(digest);
}

// Fails as node:crypto does, without a code where it has none.
Result<DigestChoice> Choose(const SpecRequest& request, bool is_stream) {
  const std::string& name = request.names[0];
  EvpMdPointer digest = FetchDigest(name, request.scope);
  if (!digest) {
    const std::string not_supported =
        is_stream ? "Digest method not supported" : "Digest method " + name + " is not supported";
    if (!IsDigestName(name)) return Error{"", not_supported, {}};
    return Error{"", not_supported, ErrorQueue::Take().Lines()};
  }
  const size_t size = SizeOf(request, digest.get());
  if (IsExtendable(digest.get()) || size == DefaultSizeOf(digest.get())) return DigestChoice(std::move(digest), size);
  if (is_stream) {
    ERR_raise(ERR_LIB_EVP, EVP_R_NOT_XOF_OR_INVALID_LENGTH);
    return Error{"", "", ErrorQueue::Take().Lines()};
  }
  return Error{
      "", "Output length " + std::to_string(size) + " is invalid for " + name + ", which does not support XOF", {}};
}

}  // namespace

SpecResult CreateDigestSpec(const SpecRequest& request) {
  const ErrorQueueScope errors;
  Result<DigestChoice> choice = Choose(request, request.has(DigestNumber::kAsStream));
  if (!choice.ok()) return choice.error();
  return std::shared_ptr<OperationSpec>(std::make_shared<DigestSpec>(std::move(choice.value())));
}

SpecResult CreateDigestStreamSpec(const SpecRequest& request) {
  const ErrorQueueScope errors;
  Result<DigestChoice> choice = Choose(request, true);
  if (!choice.ok()) return choice.error();
  auto stream = std::make_shared<DigestStreamSpec>(std::move(choice.value()));
  if (!stream->Start(request.source.get())) return Error{"", "", ErrorQueue::Take().Lines()};
  return std::shared_ptr<OperationSpec>(std::move(stream));
}

}  // namespace openssl_async
