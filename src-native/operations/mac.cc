#include "operations/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/digests.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

class MacSpec : public OperationSpec {
 public:
  MacSpec(SpecRequest request, EvpMacPointer mac, EvpMdPointer digest)
      : request_(std::move(request)), mac_(std::move(mac)), digest_(std::move(digest)) {
    size_ = static_cast<size_t>(EVP_MD_get_size(digest_.get()));
  }

  bool Run(Operation& operation) override {
    unsigned char* output = operation.Reserve(0, size_);
    if (output == nullptr) throw std::bad_alloc();
    const CacheEpoch epoch;
    EvpMacCtxPointer context = TakeContext();
    const ByteView data = operation.input(MacInput::kData);
    const ByteView key = has_key() ? request_.bytes[0].view() : operation.input(MacInput::kKey);
    size_t size = 0;
    if (!context || EVP_MAC_init(context.get(), key.data, key.size, nullptr) != 1 ||
        EVP_MAC_update(context.get(), data.data, data.size) != 1 ||
        EVP_MAC_final(context.get(), output, &size, size_) != 1) {
      return false;
    }
    // A key of the call's own is not kept: another key replaces it in the context.
    static constexpr unsigned char kNoSecret[] = {0};
    if (!has_key() && EVP_MAC_init(context.get(), kNoSecret, sizeof(kNoSecret), nullptr) != 1) return true;
    contexts_.Put(std::move(context), epoch);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return EVP_MAC_get0_provider(mac_.get()); }

 private:
  bool has_key() const { return !request_.bytes.empty(); }

  EvpMacCtxPointer TakeContext() {
    if (EvpMacCtxPointer idle = contexts_.Take()) return idle;
    EvpMacCtxPointer context(EVP_MAC_CTX_new(mac_.get()));
    const ProviderScope& scope = request_.scope;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(EVP_MD_get0_name(digest_.get())), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_PROPERTIES, const_cast<char*>(scope.properties.c_str()), 0),
        OSSL_PARAM_END};
    if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) return nullptr;
    return context;
  }

  const SpecRequest request_;
  const EvpMacPointer mac_;
  const EvpMdPointer digest_;
  size_t size_ = 0;
  ContextCache<EvpMacCtxPointer> contexts_;
};

}  // namespace

SpecResult CreateMacSpec(SpecRequest request) {
  const ErrorQueueScope errors;
  const std::string& name = request.names[0];
  EvpMdPointer digest = FetchHelperDigest(name, request.scope);
  if (!digest) {
    if (!IsDigestName(name)) return Error{"ERR_CRYPTO_INVALID_DIGEST", "Invalid digest: " + name, {}};
    return Error{"", "", ErrorQueue::Take().Lines()};
  }
  if (IsExtendable(digest.get())) return Error{"", "HMAC takes no extendable-output function", {}};
  EvpMacPointer mac(EVP_MAC_fetch(request.scope.library_context, OSSL_MAC_NAME_HMAC, request.scope.query()));
  if (!mac) return Error{"", "", ErrorQueue::Take().Lines()};
  return std::shared_ptr<OperationSpec>(
      std::make_shared<MacSpec>(std::move(request), std::move(mac), std::move(digest)));
}

}  // namespace openssl_async
