// Families of operations, by the numbers that JavaScript knows them by (lib/native/contract.ts).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

enum class OperationFamily : int {
  kSign,
  kVerify,
  kDigest,
  kPublicEncrypt,
  kPrivateDecrypt,
  kPrivateEncrypt,
  kPublicDecrypt,
  kKeyExchange,
  kEncapsulate,
  kDecapsulate,
  kKeyGeneration,
  kMac,
  kEncrypt,
  kDecrypt,
  kEncryptStream,
  kDecryptStream,
  kDigestStream,
  kKeyDerivation,
  kRandom,
  kStore,
};

bool IsAsymmetric(OperationFamily family);

// Whether a spec of the family is for one message, whose state it has, or for one key.
bool HasState(OperationFamily family);

SpecResult CreateSpec(OperationFamily family, SpecRequest request);

}  // namespace openssl_async
