#include "operations/registry.h"

#include "openssl/error_queue.h"
#include "operations/asymmetric_cipher.h"
#include "operations/cipher.h"
#include "operations/digest.h"
#include "operations/key_derivation.h"
#include "operations/key_encapsulation.h"
#include "operations/key_exchange.h"
#include "operations/key_generation.h"
#include "operations/mac.h"
#include "operations/random.h"
#include "operations/signature.h"
#include "operations/store.h"

namespace openssl_async {

bool IsAsymmetric(OperationFamily family) {
  switch (family) {
    case OperationFamily::kSign:
    case OperationFamily::kVerify:
    case OperationFamily::kPublicEncrypt:
    case OperationFamily::kPrivateDecrypt:
    case OperationFamily::kPrivateEncrypt:
    case OperationFamily::kPublicDecrypt:
    case OperationFamily::kKeyExchange:
    case OperationFamily::kEncapsulate:
    case OperationFamily::kDecapsulate:
    case OperationFamily::kKeyGeneration:
      return true;
    default:
      return false;
  }
}

bool HasState(OperationFamily family) {
  switch (family) {
    case OperationFamily::kEncryptStream:
    case OperationFamily::kDecryptStream:
    case OperationFamily::kDigestStream:
    case OperationFamily::kStore:
      return true;
    default:
      return false;
  }
}

SpecResult CreateSpec(OperationFamily family, SpecRequest request) {
  const ErrorQueueScope errors;
  switch (family) {
    case OperationFamily::kSign:
      return CreateSignSpec(std::move(request));
    case OperationFamily::kVerify:
      return CreateVerifySpec(std::move(request));
    case OperationFamily::kDigest:
      return CreateDigestSpec(request);
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
      return CreateRandomSpec(request);
    case OperationFamily::kDigestStream:
      return CreateDigestStreamSpec(request);
    case OperationFamily::kPublicEncrypt:
      return CreatePublicEncryptSpec(std::move(request));
    case OperationFamily::kPrivateDecrypt:
      return CreatePrivateDecryptSpec(std::move(request));
    case OperationFamily::kPrivateEncrypt:
      return CreatePrivateEncryptSpec(std::move(request));
    case OperationFamily::kPublicDecrypt:
      return CreatePublicDecryptSpec(std::move(request));
    case OperationFamily::kKeyExchange:
      return CreateKeyExchangeSpec(std::move(request));
    case OperationFamily::kEncapsulate:
      return CreateEncapsulateSpec(std::move(request));
    case OperationFamily::kDecapsulate:
      return CreateDecapsulateSpec(std::move(request));
    case OperationFamily::kKeyGeneration:
      return CreateKeyGenerationSpec(std::move(request));
    case OperationFamily::kStore:
      return CreateStoreSpec(std::move(request));
  }
  return Error{"ERR_ASYNC_UNSUPPORTED", "There is no such family of operations", {}};
}

}  // namespace openssl_async
