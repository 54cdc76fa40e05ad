#include "wrapping/offers.h"

#include <algorithm>

namespace openssl_async {

namespace {

bool HasOneOf(const WrappedAlgorithm& algorithm, const std::vector<const char*>& names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return algorithm.Is(name); });
}

}  // namespace

Offers::Offers(const char* provider, const std::vector<OfferPlan>& plans) : provider_(provider) {
  for (const OfferPlan& plan : plans) offered_.emplace(plan.operation, MakeOffer(plan));
}

const OSSL_ALGORITHM* Offers::Find(int operation) const {
  const auto offer = offered_.find(operation);
  return offer == offered_.end() ? nullptr : offer->second.data();
}

std::vector<OSSL_ALGORITHM> Offers::MakeOffer(const OfferPlan& plan) {
  std::vector<OSSL_ALGORITHM> offer;
  size_t slot = 0;
  const OSSL_ALGORITHM* found = DefaultProvider::Get()->Query(plan.operation);
  for (; found != nullptr && found->algorithm_names != nullptr; ++found) {
    const WrappedAlgorithm algorithm(*found);
    if (!plan.only.empty() && !HasOneOf(algorithm, plan.only)) continue;
    const OSSL_DISPATCH* functions = found->implementation;
    if (plan.wrap != nullptr && !HasOneOf(algorithm, plan.unwrapped)) {
      if (slot == plan.slots) continue;
      functions = functions_.emplace_back(plan.wrap(slot++, algorithms_.emplace_back(*found))).data();
    }
    offer.push_back({found->algorithm_names, PropertiesAs(provider_, *found), functions, found->algorithm_description});
  }
  offer.push_back({nullptr, nullptr, nullptr, nullptr});
  return offer;
}

}  // namespace openssl_async
