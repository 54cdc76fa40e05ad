// Requests to engines that may take long, as operations: they run on the pool and can be given up.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "modules/engine.h"
#include "operations/operation_spec.h"

namespace openssl_async {

// The result, complete once the operation has ended. An engine's refusal does not fail the operation: the error has a
// code of ours and OpenSSL's lines.
struct EngineOutcome {
  std::optional<Error> error;
  std::shared_ptr<Engine> engine;
  std::shared_ptr<EVP_PKEY> key;
  std::vector<unsigned char> spki;  // SubjectPublicKeyInfo of the key
};

struct EngineTask {
  std::shared_ptr<OperationSpec> spec;
  std::shared_ptr<EngineOutcome> outcome;
};

EngineTask LoadEngineTask(EngineRequest request);
EngineTask ControlEngineTask(std::shared_ptr<Engine> engine, std::string command, EngineValue value);
// Input of the call: the PIN, if there is one.
EngineTask LoadEngineKeyTask(std::shared_ptr<Engine> engine, std::string id, bool is_private);

}  // namespace openssl_async
