#include "operations/registry.h"

#include "operations/cipher.h"
#include "operations/digest.h"
#include "operations/key_derivation.h"
#include "operations/mac.h"
#include "operations/random.h"
#include "operations/signature.h"

namespace openssl_async {

SpecResult CreateSpec(OperationFamily family, SpecRequest request) {
  switch (family) {
    case OperationFamily::kSign:
      return CreateSignSpec(std::move(request));
    case OperationFamily::kVerify:
      return CreateVerifySpec(std::move(request));
    case OperationFamily::kDigest:
      return CreateDigestSpec(std::move(request));
    case OperationFamily::kMac:
      return CreateMacSpec(std::move(request));
    case OperationFamily::kEncrypt:
      return CreateCipherSpec(std::move(request), CipherDirection::kEncrypt);
    case OperationFamily::kDecrypt:
      return CreateCipherSpec(std::move(request), CipherDirection::kDecrypt);
    case OperationFamily::kEncryptStream:
      return CreateCipherStreamSpec(std::move(request), CipherDirection::kEncrypt);
    case OperationFamily::kDecryptStream:
      return CreateCipherStreamSpec(std::move(request), CipherDirection::kDecrypt);
    case OperationFamily::kKeyDerivation:
      return CreateKeyDerivationSpec(std::move(request));
    case OperationFamily::kRandom:
      return CreateRandomSpec(std::move(request));
    case OperationFamily::kDigestStream:
      return CreateDigestStreamSpec(std::move(request));
    case OperationFamily::kEnd:
      break;
  }
  return Error{"ERR_ASYNC_UNSUPPORTED", "There is no such family of operations", {}};
}

}  // namespace openssl_async
