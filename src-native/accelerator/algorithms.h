// The functions of the accelerator's algorithms, a file for each class of operations.
#pragma once

#include <openssl/core_dispatch.h>

#include <cstddef>
#include <vector>

#include "wrapping/wrapped_algorithm.h"

namespace openssl_async {

// The most algorithms of one class: see BindSlot().
constexpr size_t kMostSignatures = 96;  // OpenSSL 3.5 has 55
constexpr size_t kMostKeys = 64;        // 33
constexpr size_t kMostOthers = 32;      // 16, for key derivation

// The algorithm in `slot` stays where it is.
std::vector<OSSL_DISPATCH> WrapKeyManagement(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> WrapSignature(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> WrapAsymCipher(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> WrapKeyExchange(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> WrapKem(size_t slot, const WrappedAlgorithm& algorithm);
std::vector<OSSL_DISPATCH> WrapKdf(size_t slot, const WrappedAlgorithm& algorithm);

}  // namespace openssl_async
