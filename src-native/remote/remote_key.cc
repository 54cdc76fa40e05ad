#include "remote/remote_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace openssl_async {

int RemoteKey::Number(const char* name) const {
  int number = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(name, &number), OSSL_PARAM_END};
  return GetParams(params) == 1 ? number : 0;
}

std::vector<unsigned char> RemoteKey::Point() const {
  constexpr const char* kName = OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(kName, nullptr, 0), OSSL_PARAM_END};
  if (GetParams(params) != 1 || params[0].return_size == OSSL_PARAM_UNMODIFIED) return {};
  std::vector<unsigned char> point(params[0].return_size);
  params[0] = OSSL_PARAM_construct_octet_string(kName, point.data(), point.size());
  if (GetParams(params) != 1) return {};
  return point;
}

bool RemoteKey::IsOfSameGroup(const RemoteKey& other) const {
  if (&algorithm_ != &other.algorithm_) return false;
  const auto match = algorithm_.Get<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH);
  return match(inner_, other.inner_, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) == 1;
}

bool RemoteKey::Ask(const RemoteQuestion& question, SecretBytes* answer) const {
  if (holder_) return holder_->Ask(question, answer);
  RaiseOwn(OwnReason::kRemoteKeyUnsupported, "The key is a public key");
  return false;
}

}  // namespace openssl_async
