// Message authentication codes: HMAC (RFC 2104).
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// names: [digest]; bytes: [key], unless each call brings its own.
// Inputs of a call: MacInput. Output: the code.
SpecResult CreateMacSpec(SpecRequest request);

}  // namespace openssl_async
