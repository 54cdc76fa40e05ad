#include "operations/key_exchange.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstring>

#include "openssl/error_queue.h"
#include "operations/context_cache.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

class KeyExchangeSpec : public OperationSpec {
 public:
  explicit KeyExchangeSpec(std::shared_ptr<Key> key)
      : key_(std::move(key)), type_(EVP_PKEY_get0_type_name(key_->pkey())) {
    EVP_PKEY_get_group_name(key_->pkey(), group_, sizeof(group_), nullptr);
  }

  bool Run(Operation& operation) override {
    const ByteView point = operation.input(KeyExchangeInput::kPoint);
    const EvpPkeyPointer peer = point.present() ? ReadPoint(point) : ReadKey(operation.input(KeyExchangeInput::kKey));
    const CacheEpoch epoch;
    EvpPkeyCtxPointer context = TakeContext();
    size_t size = 0;
    if (!peer || !context || EVP_PKEY_derive_set_peer(context.get(), peer.get()) <= 0 ||
        EVP_PKEY_derive(context.get(), nullptr, &size) <= 0) {
      return false;
    }
    const size_t full_size = size;
    unsigned char* secret = operation.Reserve(0, full_size);
    if (secret == nullptr) throw std::bad_alloc();
    if (EVP_PKEY_derive(context.get(), secret, &size) <= 0) return false;
    // DH leaves out leading zeros.
    if (size < full_size) {
      memmove(secret + (full_size - size), secret, size);
      memset(secret, 0, full_size - size);
    }
    contexts_.Put(std::move(context), epoch);
    return true;
  }
  const OSSL_PROVIDER* Provider() override { return ProviderOf(TakeContext()); }

 private:
  EvpPkeyCtxPointer TakeContext() {
    if (EvpPkeyCtxPointer idle = contexts_.Take()) return idle;
    EvpPkeyCtxPointer context = key_->NewContext();
    return context && EVP_PKEY_derive_init(context.get()) > 0 ? std::move(context) : nullptr;
  }

  EvpPkeyPointer ReadKey(ByteView der) const { return Key::Decode(der, false, nullptr, key_->scope()); }

  // Much less work than decoding a SubjectPublicKeyInfo.
  EvpPkeyPointer ReadPoint(ByteView point) const {
    OSSL_PARAM params[] = {OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END};
    params[0] =
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<unsigned char*>(point.data), point.size);
    if (group_[0] != '\0') {
      params[1] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group_), 0);
    }
    const ProviderScope& scope = key_->scope();
    const EvpPkeyCtxPointer context(EVP_PKEY_CTX_new_from_name(scope.library_context, type_.c_str(), scope.query()));
    EVP_PKEY* peer = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &peer, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
      return nullptr;
    }
    return EvpPkeyPointer(peer);
  }

  const std::shared_ptr<Key> key_;
  const std::string type_;
  char group_[80] = "";  // empty where the type has none
  ContextCache<EvpPkeyCtxPointer> contexts_;
};

}  // namespace

SpecResult CreateKeyExchangeSpec(SpecRequest request) {
  const ErrorQueueScope errors;
  return std::shared_ptr<OperationSpec>(std::make_shared<KeyExchangeSpec>(std::move(request.keys[0])));
}

}  // namespace openssl_async
