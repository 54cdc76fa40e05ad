// A key of the provider `remote`: the default provider's public key, and the holder of the private key.
#pragma once

#include <memory>
#include <utility>

#include "remote/remote_requests.h"
#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

class RemoteKey {
 public:
  // Owns `inner`, key data of the default provider's `algorithm`.
  RemoteKey(const WrappedAlgorithm& algorithm, void* inner) : algorithm_(algorithm), inner_(inner) {}
  ~RemoteKey() { algorithm_.Get<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE)(inner_); }
  RemoteKey(const RemoteKey&) = delete;
  RemoteKey& operator=(const RemoteKey&) = delete;

  const WrappedAlgorithm& algorithm() const { return algorithm_; }
  void* inner() const { return inner_; }
  // Null for a public key, such as a peer's.
  const RemoteHolder* holder() const { return holder_.get(); }
  const std::shared_ptr<const RemoteHolder>& shared_holder() const { return holder_; }
  void set_holder(std::shared_ptr<const RemoteHolder> holder) { holder_ = std::move(holder); }
  RunTime& verify_time() { return verify_time_; }

  // An integer parameter of the key (openssl/core_names.h); 0 when it has none.
  int Number(const char* name) const;
  // The encoded point; empty when there is none.
  std::vector<unsigned char> Point() const;
  // Whether both keys have the same algorithm and domain parameters.
  bool IsOfSameGroup(const RemoteKey& other) const;

  // Asks the holder; see RemoteHolder. Fails for a key without one.
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

// libcrypto's key data points to one of these. Contexts keep references of their own.
using RemoteKeyPointer = std::shared_ptr<RemoteKey>;

inline const RemoteKeyPointer& ToRemoteKey(const void* key) { return *static_cast<const RemoteKeyPointer*>(key); }

// The most algorithms of one class: see BindSlot().
constexpr size_t kMostRemote = 8;

// The functions of an algorithm that the provider offers; `algorithm` must stay where it is.
std::vector<OSSL_DISPATCH> RemoteKeyManagement(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteSignature(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteAsymCipher(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> RemoteKeyExchange(size_t slot, const WrappedAlgorithm& algorithm);

}  // namespace openssl_async
