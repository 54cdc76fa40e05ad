// The algorithms that a provider of ours offers: the default provider's, wrapped or as they are.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

// The functions of the algorithm in `slot`; `algorithm` stays where it is.
using WrapFn = std::vector<OSSL_DISPATCH>(size_t slot, const WrappedAlgorithm& algorithm);

// How a provider treats the algorithms of one class of operations.
struct OfferPlan {
  int operation;
  // Null: all are offered as they are. They work with the default provider's context, which must be the provider's too.
  WrapFn* wrap = nullptr;
  // Algorithms that find no slot are not offered.
  size_t slots = 0;
  // Only algorithms with one of these names are offered; when it is empty, all are.
  std::vector<const char*> only = {};
  // Algorithms with one of these names are offered as they are.
  std::vector<const char*> unwrapped = {};
};

// Lives as long as the process, and is the same wherever the provider is loaded.
class Offers {
 public:
  Offers(const char* provider, const std::vector<OfferPlan>& plans);
  Offers(const Offers&) = delete;
  Offers& operator=(const Offers&) = delete;

  // For OSSL_FUNC_PROVIDER_QUERY_OPERATION. Null for classes without a plan.
  const OSSL_ALGORITHM* Find(int operation) const;

 private:
  std::vector<OSSL_ALGORITHM> MakeOffer(const OfferPlan& plan);

  const char* const provider_;
  std::deque<WrappedAlgorithm> algorithms_;  // never moved: functions point to them
  std::deque<std::vector<OSSL_DISPATCH>> functions_;
  std::map<int, std::vector<OSSL_ALGORITHM>> offered_;
};

}  // namespace openssl_async
