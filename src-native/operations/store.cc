#include "operations/store.h"

#include <openssl/store.h>
#include <openssl/ui.h>

#include <string>

#include "openssl/error_queue.h"
#include "operations/encoded_key.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

void Close(OSSL_STORE_CTX* store) { static_cast<void>(OSSL_STORE_close(store)); }

using StorePointer = DeleteFnPtr<OSSL_STORE_CTX, Close>;
using StoreInfoPointer = DeleteFnPtr<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;

// The answer to a store that asks for a PIN or a passphrase.
struct Answer {
  ByteView text;         // absent when there is none
  std::string question;  // set when there is no answer to it
};

int Read(UI* ui, UI_STRING* string) {
  if (UI_get_string_type(string) != UIT_PROMPT && UI_get_string_type(string) != UIT_VERIFY) return 1;
  auto* answer = static_cast<Answer*>(UI_get0_user_data(ui));
  if (answer->text.present()) {
    return UI_set_result_ex(ui, string, reinterpret_cast<const char*>(answer->text.data),
                            static_cast<int>(answer->text.size)) == 0
               ? 1
               : 0;
  }
  answer->question = UI_get0_output_string(string);
  return -1;  // as if somebody had cancelled it
}

// Lives as long as the process: stores keep it.
const UI_METHOD* Asking() {
  static UI_METHOD* const method = [] {
    UI_METHOD* made = UI_create_method("openssl-async");
    if (made != nullptr) UI_method_set_reader(made, &Read);
    return made;
  }();
  return method;
}

// A TPM gives an encoding that only it can read, in a structure of its own.
bool IsPkcs8(ByteView der) {
  const unsigned char* at = der.data;
  return Pkcs8Pointer(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size))) != nullptr;
}

class StoreSpec : public OperationSpec {
 public:
  explicit StoreSpec(SpecRequest request)
      : uri_(std::move(request.names[0])), is_private_(request.integer(0) != 0), scope_(std::move(request.scope)) {}

  bool Run(Operation& operation) override {
    Answer answer = {operation.input(0), ""};
    EvpPkeyPointer pkey = Load(&answer);
    if (!pkey) {
      if (!answer.question.empty()) return operation.Fail("ERR_ASYNC_STORE_PROMPT", answer.question.c_str());
      if (ERR_peek_error() != 0) return false;
      return operation.Fail("ERR_ASYNC_STORE", is_private_ ? "There is no private key" : "There is no public key");
    }
    if (!WritePublicKey(pkey.get(), operation, 0)) return false;
    if (is_private_) {
      // A key that its store does not give away stays there, which is no error.
      ERR_set_mark();
      if (!WritePrivateKey(pkey.get(), nullptr, {}, operation, 1) || !IsPkcs8(operation.output(1).view())) {
        operation.output(1).Clear();
      }
      ERR_pop_to_mark();
    }
    key_ = std::make_shared<Key>(std::move(pkey), scope_);
    return true;
  }

  std::shared_ptr<Key> TakeKey() override { return std::move(key_); }

 private:
  EvpPkeyPointer Load(Answer* answer) const {
    const StorePointer store(OSSL_STORE_open_ex(uri_.c_str(), scope_.library_context, scope_.query(), Asking(), answer,
                                                nullptr, nullptr, nullptr));
    if (!store) return nullptr;
    if (is_private_) OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY);
    while (OSSL_STORE_eof(store.get()) == 0) {
      const StoreInfoPointer info(OSSL_STORE_load(store.get()));
      if (!info) {
        // Some stores report their end only by a null.
        if (OSSL_STORE_error(store.get()) != 0 || !answer->question.empty()) return nullptr;
        continue;
      }
      if (EvpPkeyPointer pkey = KeyOf(info.get())) return pkey;
    }
    return nullptr;
  }

  EvpPkeyPointer KeyOf(const OSSL_STORE_INFO* info) const {
    switch (OSSL_STORE_INFO_get_type(info)) {
      case OSSL_STORE_INFO_PKEY:
        return EvpPkeyPointer(OSSL_STORE_INFO_get1_PKEY(info));
      case OSSL_STORE_INFO_PUBKEY:
        return EvpPkeyPointer(is_private_ ? nullptr : OSSL_STORE_INFO_get1_PUBKEY(info));
      case OSSL_STORE_INFO_CERT:
        return EvpPkeyPointer(is_private_ ? nullptr : X509_get_pubkey(OSSL_STORE_INFO_get0_CERT(info)));
      default:
        return nullptr;
    }
  }

  const std::string uri_;
  const bool is_private_;
  const ProviderScope scope_;
  std::shared_ptr<Key> key_;
};

}  // namespace

SpecResult CreateStoreSpec(SpecRequest request) {
  return std::shared_ptr<OperationSpec>(std::make_shared<StoreSpec>(std::move(request)));
}

}  // namespace openssl_async
