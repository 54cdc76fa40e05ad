// A key of the provider `remote`: the public key, as the default provider has it, and who holds the private one.
#pragma once

#include <memory>
#include <utility>

#include "remote/remote_requests.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

class RemoteKey {
 public:
  // Takes `inner`, key data of `algorithm`, which is one of the default provider's.
  RemoteKey(const WrappedAlgorithm& algorithm, void* inner) : algorithm_(algorithm), inner_(inner) {}
  ~RemoteKey() { algorithm_.Get<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE)(inner_); }
  RemoteKey(const RemoteKey&) = delete;
  RemoteKey& operator=(const RemoteKey&) = delete;

  const WrappedAlgorithm& algorithm() const { return algorithm_; }
  void* inner() const { return inner_; }
  // Null for a key that is public and nothing else, such as a peer's.
  const RemoteHolder* holder() const { return holder_.get(); }
  const std::shared_ptr<const RemoteHolder>& shared_holder() const { return holder_; }
  void set_holder(std::shared_ptr<const RemoteHolder> holder) { holder_ = std::move(holder); }
  RunTime& verify_time() { return verify_time_; }

  // 0 when the key does not know.
  int Number(const char* name) const;
  // The encoded point; empty when there is none.
  std::vector<unsigned char> Point() const;
  // Whether a parameter of this kind of key (see openssl/core_names.h) is the same in both.
  bool IsOfSameGroup(const RemoteKey& other) const;

  // Asks the holder; see RemoteHolder. Of a key without one, that is refused.
  bool Ask(const RemoteQuestion& question, SecretBytes* answer) const;

 private:
  int GetParams(OSSL_PARAM params[]) const {
    return algorithm_.Get<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS)(inner_, params);
  }

  const WrappedAlgorithm& algorithm_;
  void* inner_;
  std::shared_ptr<const RemoteHolder> holder_;
  RunTime verify_time_;
};

// What libcrypto gets as key data points to one of these. Contexts have shares of their own.
using RemoteKeyPointer = std::shared_ptr<RemoteKey>;

inline const RemoteKeyPointer& ToRemoteKey(const void* key) { return *static_cast<const RemoteKeyPointer*>(key); }

// Some functions are not told whose they are: see BindPlace().
constexpr size_t kMostRemote = 8;

// The functions of an algorithm that the provider offers; `algorithm` stays where it is.
std::vector<OSSL_DISPATCH> RemoteKeyManagement(size_t place, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteSignature(size_t place, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteAsymCipher(size_t place, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteKeyExchange(size_t place, const WrappedAlgorithm& algorithm);

}  // namespace openssl_async
