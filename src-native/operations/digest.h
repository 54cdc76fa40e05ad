// Message digests.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [digest]; numbers: [output length of an extendable one].
// Inputs of a call: the data. Output: the digest.
SpecResult CreateDigestSpec(SpecRequest request);

}  // namespace openssl_async
