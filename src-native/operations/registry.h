// Families of operations, by the numbers that JavaScript knows them by.
#pragma once

#include "operations/contract.h"
#include "operations/operation_spec.h"

namespace openssl_async {

bool IsAsymmetric(OperationFamily family);

// Whether a spec of the family has state: of one message, or the key that it has loaded.
bool HasState(OperationFamily family);

SpecResult CreateSpec(OperationFamily family, SpecRequest request);

}  // namespace openssl_async
