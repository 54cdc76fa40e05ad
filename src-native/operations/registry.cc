#include "operations/registry.h"

#include "operations/digest.h"
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
    case OperationFamily::kEnd:
      break;
  }
  return Error{"ERR_ASYNC_UNSUPPORTED", "There is no such family of operations", {}};
}

}  // namespace openssl_async
