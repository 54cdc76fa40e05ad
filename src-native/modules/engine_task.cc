#include "modules/engine_task.h"

#include <openssl/x509.h>

#include <utility>

#include "openssl/error_queue.h"
#include "operations/operation.h"

namespace openssl_async {

namespace {

template <typename Work>
class TaskSpec final : public OperationSpec {
 public:
  TaskSpec(std::shared_ptr<EngineOutcome> outcome, Work work) : outcome_(std::move(outcome)), work_(std::move(work)) {}

  bool Run(Operation& operation) override {
    if (Result<void> done = work_(operation, *outcome_); !done.ok()) outcome_->error = done.error();
    return true;
  }

 private:
  const std::shared_ptr<EngineOutcome> outcome_;
  const Work work_;
};

template <typename Work>
EngineTask MakeTask(Work work) {
  auto outcome = std::make_shared<EngineOutcome>();
  auto spec = std::make_shared<TaskSpec<Work>>(outcome, std::move(work));
  spec->set_blocks(true);
  return {std::move(spec), std::move(outcome)};
}

std::vector<unsigned char> SpkiOf(EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) return {};
  std::vector<unsigned char> spki(static_cast<size_t>(size));
  unsigned char* at = spki.data();
  if (i2d_PUBKEY(key, &at) != size) return {};
  return spki;
}

}  // namespace

EngineTask LoadEngineTask(EngineRequest request) {
  return MakeTask([request = std::move(request)](Operation&, EngineOutcome& outcome) -> Result<void> {
    Result<std::shared_ptr<Engine>> loaded = Engine::Load(request);
    if (!loaded.ok()) return loaded.error();
    outcome.engine = std::move(loaded.value());
    return {};
  });
}

EngineTask ControlEngineTask(std::shared_ptr<Engine> engine, std::string command, EngineValue value) {
  return MakeTask([engine = std::move(engine), command = std::move(command), value = std::move(value)](
                      Operation&, EngineOutcome&) { return engine->Control(command, value); });
}

EngineTask LoadEngineKeyTask(std::shared_ptr<Engine> engine, std::string id, bool is_private) {
  return MakeTask([engine = std::move(engine), id = std::move(id), is_private](Operation& operation,
                                                                               EngineOutcome& outcome) -> Result<void> {
    const ByteView pin = operation.input(0);
    Result<std::shared_ptr<EVP_PKEY>> key = engine->LoadKey(id, is_private, pin);
    if (!key.ok()) return key.error();
    outcome.spki = SpkiOf(key.value().get());
    if (outcome.spki.empty() && is_private) {  // tokens keep an EC key's public part as a separate object
      Result<std::shared_ptr<EVP_PKEY>> public_key = engine->LoadKey(id, false, pin);
      if (!public_key.ok()) return public_key.error();
      outcome.spki = SpkiOf(public_key.value().get());
    }
    if (outcome.spki.empty()) {
      return Error{"ERR_ASYNC_ENGINE", "The engine '" + engine->id() + "' does not give the public part of this key",
                   ErrorQueue::Take().Lines()};
    }
    outcome.key = std::move(key.value());
    return {};
  });
}

}  // namespace openssl_async
