// Message digests.
#pragma once

#include "operations/operation_spec.h"

namespace openssl_async {

// Of whole data.
// names: [digest]; numbers: DigestNumber.
// Inputs of a call: the data. Output: the digest.
SpecResult CreateDigestSpec(const SpecRequest& request);

// Of data in parts. The spec holds the state; its calls come strictly one after the other, and none after the last.
// names: [digest]; numbers: DigestNumber; source: a spec of the same kind, whose state this one starts with. Numbers of
// a call: [1 for the last, else 0]. Inputs: up to six parts, in order. Output of the last: the digest.
SpecResult CreateDigestStreamSpec(const SpecRequest& request);

}  // namespace openssl_async
