// OpenSSL's engines. The process's defaults stay untouched, except by SetDefault(). OpenSSL 4 has no engines:
// everything here then fails and says so.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "modules/pin_answer.h"
#include "modules/shared_engines.h"
#include "openssl/pointers.h"

struct engine_st;  // ENGINE, whose header OpenSSL 4 does not have

namespace openssl_async {

// The value of a command, as ENGINE_ctrl_cmd(3) takes it.
struct EngineValue {
  enum class Kind : int { kNone, kNumber, kText };

  Kind kind = Kind::kNone;
  long number = 0;
  SecretBytes text;  // with its NUL
};

struct EngineCommand {
  std::string name;
  std::string description;
  // None of these: the command takes something that only the engine's own programs have.
  bool takes_number = false;
  bool takes_text = false;
  bool takes_nothing = false;
};

// Names of commands, and their values.
using EngineCommands = std::vector<std::pair<std::string, EngineValue>>;

struct EngineRequest {
  std::string name;  // the id of an engine, or the path of a module
  bool is_path = false;
  std::string id;              // of the engine in the module; empty for the module's own choice
  EngineCommands before_init;  // carried out by the first load
  EngineCommands after_init;   // carried out by every load
};

struct EngineInfo {
  std::string id;
  std::string name;
  bool is_loaded = false;  // by this library; else OpenSSL has it built in, or other code loaded it
};

// One object for each engine, however often it is loaded; other copies of this package share OpenSSL's engine.
// OpenSSL's engine is finished and freed when the last copy's object and the last key are gone. Any thread.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Why there are no engines, in one sentence; empty where there are.
  static const std::string& UnsupportedReason();
  // Finds and initialises an engine, or joins a loaded one. May take long, as everything that asks the engine.
  // ERR_ASYNC_ENGINE, ERR_ASYNC_MODULE_INCOMPATIBLE.
  static Result<std::shared_ptr<Engine>> Load(const EngineRequest& request);
  static std::vector<EngineInfo> List();

  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::string id() const;
  std::string name() const;
  // The engine's algorithms by engine(1)'s names: "RSA", "DIGESTS" and so on.
  std::vector<std::string> Algorithms() const;
  std::vector<EngineCommand> Commands() const;

  Result<void> Control(const std::string& command, const EngineValue& value);
  // For Poll(): the number of a command that makes the engine look for responses. ERR_ASYNC_ENGINE.
  Result<int> PollCommand(const std::string& command) const;
  // Runs that command; true when the engine reports a number of found responses.
  bool Poll(int command) const;
  // A key of the engine's, which keeps the engine. `pin` (absent for none) answers the engine's question for one.
  Result<std::shared_ptr<EVP_PKEY>> LoadKey(const std::string& id, bool is_private, ByteView pin);
  // Hands a key's operations to the engine, as far as `methods` (ENGINE_METHOD_… of engine.h) say.
  Result<EvpPkeyPointer> Bind(EvpPkeyPointer key, unsigned methods) const;
  // Makes the engine the process's default for "RSA,EC", or anything else that ENGINE_set_default_string(3) knows,
  // until it is unloaded.
  Result<void> SetDefault(const std::string& algorithms);

 private:
  struct EngineDeleter {
    void operator()(engine_st* engine) const;
  };
  using EnginePointer = std::unique_ptr<engine_st, EngineDeleter>;

  Engine(EnginePointer engine, std::string source) : engine_(std::move(engine)), source_(std::move(source)) {}

  static std::shared_ptr<Engine> FindLoaded(const EngineRequest& request);
  static std::shared_ptr<Engine> JoinOtherCopies(const EngineRequest& request);
  static void Remember(const std::shared_ptr<Engine>& engine);
  static Result<EnginePointer> Find(const EngineRequest& request);
  static Result<EnginePointer> LoadModule(const std::string& path, const std::string& id);
  Result<void> Init(const EngineCommands& before_init);
  Result<void> Control(const EngineCommands& commands);
  void UndoDefault();
  void LetGo(EVP_PKEY* key);
  void ForgetUnusedKeys();
  Error Failure(const std::string& what) const;

  EnginePointer engine_;
  const std::string source_;                // path of its module, or id; finds the engine again
  std::vector<unsigned char> before_init_;  // a digest of those commands
  SharedEngine* shared_ = nullptr;          // null unless other copies can join
  bool is_initialised_ = false;
  bool is_default_ = false;
  std::mutex loading_;  // held while a key is loaded, which may take long
  PinAnswer pin_answer_;
  // A key from LoadKey(), and its users. An engine may give the same key again, and may keep it.
  struct LoadedKey {
    EvpPkeyPointer key;
    size_t users = 0;
  };
  std::mutex keys_mutex_;
  std::map<EVP_PKEY*, LoadedKey> keys_;
};

}  // namespace openssl_async
