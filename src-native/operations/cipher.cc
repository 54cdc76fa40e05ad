#include "operations/cipher.h"

#include <algorithm>
#include <climits>
#include <optional>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

bool HasNumber(const Operation& operation, size_t index) {
  return operation.number(index) == operation.number(index);  // not NaN
}

// The option authTagLength, a 32-bit integer. Values above INT_MAX are too large anyway.
int TagLengthOf(double number) {
  if (number != number) return CipherContext::kNoTagLength;
  return static_cast<int>(std::min(number, static_cast<double>(INT_MAX)));
}

bool Report(Operation& operation, const Result<void>& result) {
  if (result.ok()) return true;
  operation.output(0).Clear();
  operation.SetError(result.error());
  return false;
}

bool PutTag(Operation& operation, const CipherContext& context) {
  if (!operation.output(1).Assign(context.tag())) throw std::bad_alloc();
  return true;
}

class CipherSpec : public OperationSpec {
 public:
  CipherSpec(SpecRequest request, CipherAlgorithm algorithm)
      : request_(std::move(request)), algorithm_(std::move(algorithm)) {}

  bool Run(Operation& operation) override {
    // A provider with the cipher may have been loaded since.
    std::optional<CipherAlgorithm> again;
    if (algorithm_.cipher() == nullptr) {
      const auto direction = algorithm_.encrypts() ? CipherDirection::kEncrypt : CipherDirection::kDecrypt;
      Result<CipherAlgorithm> fetched = CipherAlgorithm::Fetch(algorithm_.name(), direction, request_.scope);
      if (fetched.ok()) again = std::move(fetched.value());
    }
    const CacheEpoch epoch;
    CipherContext context(again ? *again : algorithm_, contexts_.Take());
    if (!Report(operation, Run(operation, context))) return false;
    operation.set_value(algorithm_.is_authenticated() ? 1 : 0);
    if (algorithm_.is_authenticated() && algorithm_.encrypts()) PutTag(operation, context);
    if (EvpCipherCtxPointer idle = context.Recycle()) contexts_.Put(std::move(idle), epoch);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return algorithm_.provider(); }

 private:
  using Input = CipherInput;

  Result<void> Run(Operation& operation, CipherContext& context) const {
    const ByteView data = operation.input(Input::kData);
    const ByteView key = request_.bytes.empty() ? operation.input(Input::kKey) : request_.bytes[0].view();
    const int tag_length = TagLengthOf(operation.number(CipherNumber::kTagLength));
    if (Result<void> done = context.Init(key, operation.input(Input::kIv), tag_length); !done.ok()) return done;
    if (HasNumber(operation, CipherNumber::kAutoPadding)) {
      context.SetAutoPadding(operation.number(CipherNumber::kAutoPadding) != 0);
    }
    if (const ByteView tag = operation.input(Input::kTag); tag.present()) {
      if (Result<void> done = context.SetTag(tag); !done.ok()) return done;
    }
    if (const ByteView authenticated = operation.input(Input::kAuthenticatedData); authenticated.present()) {
      // The message is whole, so its length is known.
      if (Result<void> done = context.AddAuthenticatedData(authenticated, data.size); !done.ok()) return done;
    }
    SecretBytes& output = operation.output(0);
    if (!output.Resize(context.MostOutputBytes(data.size))) throw std::bad_alloc();
    size_t size = 0;
    if (Result<void> done = context.Update(data, output, &size); !done.ok()) return done;
    if (Result<void> done = context.Finish(output, &size); !done.ok()) return done;
    output.Truncate(size);
    return {};
  }

  const SpecRequest request_;
  const CipherAlgorithm algorithm_;
  ContextCache<EvpCipherCtxPointer> contexts_;
};

class CipherStreamSpec : public OperationSpec {
 public:
  explicit CipherStreamSpec(CipherAlgorithm algorithm) : algorithm_(std::move(algorithm)), context_(algorithm_) {}

  Result<void> Start(const SpecRequest& request) {
    const int tag_length = TagLengthOf(request.numbers[0]);
    const ByteView iv = request.bytes.size() > 1 ? request.bytes[1].view() : ByteView();
    return context_.Init(request.bytes[0].view(), iv, tag_length);
  }

  bool Run(Operation& operation) override {
    const bool is_last = operation.number(CipherPartNumber::kIsLast) != 0;
    if (!Report(operation, Run(operation, is_last))) return false;
    if (is_last && algorithm_.is_authenticated() && algorithm_.encrypts()) PutTag(operation, context_);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return algorithm_.provider(); }

 private:
  using Input = CipherPartInput;

  Result<void> Run(Operation& operation, bool is_last) {
    const ByteView data = operation.input(Input::kData);
    context_.SetAutoPadding(!HasNumber(operation, CipherPartNumber::kAutoPadding) ||
                            operation.number(CipherPartNumber::kAutoPadding) != 0);
    if (const ByteView tag = operation.input(Input::kTag); tag.present()) {
      if (Result<void> done = context_.SetTag(tag); !done.ok()) return done;
    }
    if (const ByteView authenticated = operation.input(Input::kAuthenticatedData); authenticated.present()) {
      const size_t plaintext_size = HasNumber(operation, 2) ? operation.size(2) : data.size;
      if (Result<void> done = context_.AddAuthenticatedData(authenticated, plaintext_size); !done.ok()) return done;
    }
    SecretBytes& output = operation.output(0);
    if (!output.Resize(context_.MostOutputBytes(data.size))) throw std::bad_alloc();
    size_t size = 0;
    if (data.present()) {
      if (Result<void> done = context_.Update(data, output, &size); !done.ok()) return done;
    }
    if (is_last) {
      if (Result<void> done = context_.Finish(output, &size); !done.ok()) return done;
    }
    output.Truncate(size);
    return {};
  }

  const CipherAlgorithm algorithm_;
  CipherContext context_;
};

}  // namespace

SpecResult CreateCipherSpec(SpecRequest request, CipherDirection direction) {
  const ErrorQueueScope errors;
  Result<CipherAlgorithm> algorithm = CipherAlgorithm::Fetch(request.names[0], direction, request.scope);
  if (!algorithm.ok()) return algorithm.error();
  return std::shared_ptr<OperationSpec>(std::make_shared<CipherSpec>(std::move(request), std::move(algorithm.value())));
}

SpecResult CreateCipherStreamSpec(SpecRequest request, CipherDirection direction) {
  const ErrorQueueScope errors;
  Result<CipherAlgorithm> algorithm = CipherAlgorithm::Fetch(request.names[0], direction, request.scope);
  if (!algorithm.ok()) return algorithm.error();
  auto stream = std::make_shared<CipherStreamSpec>(std::move(algorithm.value()));
  if (Result<void> started = stream->Start(request); !started.ok()) return started.error();
  return std::shared_ptr<OperationSpec>(std::move(stream));
}

}  // namespace openssl_async
