// Families of operations, by the numbers that JavaScript knows them by (lib/native/contract.ts).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

enum class OperationFamily : int {
  kSign,
  kVerify,
  kDigest,

  kMac = 40,
  kEncrypt = 41,
  kDecrypt = 42,
  kEncryptStream = 43,
  kDecryptStream = 44,
  kKeyDerivation = 45,
  kRandom = 46,
  kDigestStream = 47,
  kEnd,
};

SpecResult CreateSpec(OperationFamily family, SpecRequest request);

}  // namespace openssl_async
