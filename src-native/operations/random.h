// Random bytes.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names, numbers, keys, bytes: none.
// Numbers of a call: [how many bytes]. Output: the bytes.
SpecResult CreateRandomSpec(const SpecRequest& request);

}  // namespace openssl_async
