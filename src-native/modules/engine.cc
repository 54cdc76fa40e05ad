// OpenSSL deprecates engines in favour of providers, but people have engines.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "modules/engine.h"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "base/cache.h"
#include "modules/engine_remains.h"
#include "modules/module.h"
#include "openssl/error_queue.h"
#include "openssl/version.h"

#if __has_include(<openssl/engine.h>)
#include <openssl/engine.h>
#endif

namespace openssl_async {

#if defined(OPENSSL_NO_ENGINE) || !__has_include(<openssl/engine.h>)

namespace {

Error NoEngines() { return Error{"ERR_ASYNC_ENGINE", Engine::UnsupportedReason(), {}}; }

}  // namespace

const std::string& Engine::UnsupportedReason() {
  static const std::string reason = "The OpenSSL that this addon was compiled for has no engines.";
  return reason;
}

Result<std::shared_ptr<Engine>> Engine::Load(const EngineRequest&) { return NoEngines(); }
std::vector<EngineInfo> Engine::List() { return {}; }
Engine::~Engine() = default;
std::string Engine::id() const { return ""; }
std::string Engine::name() const { return ""; }
std::vector<std::string> Engine::Algorithms() const { return {}; }
std::vector<EngineCommand> Engine::Commands() const { return {}; }
Result<void> Engine::Control(const std::string&, const EngineValue&) { return NoEngines(); }
Result<int> Engine::PollCommand(const std::string&) const { return NoEngines(); }
bool Engine::Poll(int) const { return false; }
Result<std::shared_ptr<EVP_PKEY>> Engine::LoadKey(const std::string&, bool, ByteView) { return NoEngines(); }
Result<EvpPkeyPointer> Engine::Bind(EvpPkeyPointer, unsigned) const { return NoEngines(); }
Result<void> Engine::SetDefault(const std::string&) { return NoEngines(); }
void Engine::EngineDeleter::operator()(engine_st*) const {}

#else

namespace {

constexpr const char* kRequired[] = {
#include "modules/engine_symbols.inc"
};

constexpr const char* kDynamic = "dynamic";  // OpenSSL's name for its loader of modules

// Recursive: a thread that has the mutex may release the last reference to an engine, whose destructor locks it again.
std::recursive_mutex& Mutex() {
  static auto* mutex = new std::recursive_mutex();
  return *mutex;
}

// All loaded engines. An unloaded engine leaves an expired entry until the next is loaded.
std::vector<std::weak_ptr<Engine>>& Loaded() {
  static auto* engines = new std::vector<std::weak_ptr<Engine>>();
  return *engines;
}

// Folders with engines: OpenSSL's own, which rarely exists in Node.js's build, and those of distributions.
std::vector<std::string> Folders() {
  const char* chosen = getenv("OPENSSL_ENGINES");
  if (chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::string> folders;
  if (const char* own = OPENSSL_info(OPENSSL_INFO_ENGINES_DIR); own != nullptr) folders.emplace_back(own);
#if defined(__linux__)
#if defined(__x86_64__)
  folders.emplace_back("/usr/lib/x86_64-linux-gnu/engines-3");
#elif defined(__aarch64__)
  folders.emplace_back("/usr/lib/aarch64-linux-gnu/engines-3");
#endif
  for (const char* folder : {"/usr/lib64/engines-3", "/usr/lib/engines-3", "/usr/local/lib/engines-3"}) {
    folders.emplace_back(folder);
  }
#elif defined(__APPLE__)
  for (const char* folder : {"/opt/homebrew/lib/engines-3", "/usr/local/lib/engines-3"}) folders.emplace_back(folder);
#endif
  return folders;
}

// Identifies commands without keeping them: one of them may hold a PIN.
std::vector<unsigned char> DigestOf(const EngineCommands& commands) {
  std::vector<unsigned char> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const EvpMdCtxPointer context(EVP_MD_CTX_new());
  bool ok = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  const auto add = [&](const void* data, size_t length) {
    ok = ok && EVP_DigestUpdate(context.get(), &length, sizeof(length)) == 1 &&
         EVP_DigestUpdate(context.get(), data, length) == 1;
  };
  for (const auto& [name, value] : commands) {
    add(name.data(), name.size());
    add(&value.kind, sizeof(value.kind));
    add(&value.number, sizeof(value.number));
    add(value.text.data(), value.text.size());
  }
  if (!ok || EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) size = 0;
  digest.resize(size);
  return digest;
}

Error EngineError(const std::string& message) { return Error{"ERR_ASYNC_ENGINE", message, ErrorQueue::Take().Lines()}; }

}  // namespace

// --- Loading

const std::string& Engine::UnsupportedReason() {
  static const std::string reason = [] {
    for (const char* name : kRequired) {
      if (HasSymbol(name)) continue;
      return std::string("This runtime's OpenSSL has no engines: it does not export ") + name + ".";
    }
    return std::string();
  }();
  return reason;
}

void Engine::EngineDeleter::operator()(engine_st* engine) const { ENGINE_free(engine); }

Engine::~Engine() {
  const std::lock_guard<std::recursive_mutex> lock(Mutex());
  const Copies::EngineLock copies;
  const ErrorQueueScope errors;
  ForgetUnusedKeys();
  if (is_default_ && SharedEngines::ForgetDefault(shared_)) UndoDefault();
  SharedEngines::Leave(shared_);
  if (is_initialised_) ENGINE_finish(engine_.get());
  engine_.reset();
}

void Engine::UndoDefault() {
  ENGINE* engine = engine_.get();
  for (const auto unregister :
       {ENGINE_unregister_RSA, ENGINE_unregister_DSA, ENGINE_unregister_DH, ENGINE_unregister_EC,
        ENGINE_unregister_RAND, ENGINE_unregister_ciphers, ENGINE_unregister_digests, ENGINE_unregister_pkey_meths,
        ENGINE_unregister_pkey_asn1_meths}) {
    unregister(engine);
  }
  // OpenSSL keeps the source of random numbers that it found first.
  if (ENGINE_get_RAND(engine) != nullptr && RAND_get_rand_method() == ENGINE_get_RAND(engine)) {
    RAND_set_rand_method(nullptr);
  }
  Cache::ForgetAll();  // drops contexts that found this engine
}

Result<std::shared_ptr<Engine>> Engine::Load(const EngineRequest& request) {
  if (!UnsupportedReason().empty()) return Error{"ERR_ASYNC_ENGINE", UnsupportedReason(), {}};
  const ErrorQueueScope errors;
  const std::lock_guard<std::recursive_mutex> lock(Mutex());
  const Copies::EngineLock copies;
  std::shared_ptr<Engine> engine = FindLoaded(request);
  if (!engine) engine = JoinOtherCopies(request);
  if (engine) {
    if (!request.before_init.empty() && DigestOf(request.before_init) != engine->before_init_) {
      return engine->Failure("is loaded already, with other commands before its initialisation");
    }
  } else {
    Result<EnginePointer> found = Find(request);
    if (!found.ok()) return found.error();
    engine.reset(new Engine(std::move(found.value()), request.name));
    if (Result<void> ready = engine->Init(request.before_init); !ready.ok()) return ready.error();
    if (request.name != kDynamic) {
      engine->shared_ = SharedEngines::Publish(engine->engine_.get(), engine->source_, engine->before_init_);
    }
    Remember(engine);
  }
  if (Result<void> done = engine->Control(request.after_init); !done.ok()) return done.error();
  return engine;
}

std::shared_ptr<Engine> Engine::FindLoaded(const EngineRequest& request) {
  if (request.name == kDynamic) return nullptr;  // commands make another engine of it each time
  for (const std::weak_ptr<Engine>& held : Loaded()) {
    std::shared_ptr<Engine> engine = held.lock();
    if (!engine || (!request.id.empty() && request.id != engine->id())) continue;
    if (engine->source_ == request.name || (!request.is_path && engine->id() == request.name)) return engine;
  }
  return nullptr;
}

std::shared_ptr<Engine> Engine::JoinOtherCopies(const EngineRequest& request) {
  if (request.name == kDynamic) return nullptr;
  SharedEngine* shared = SharedEngines::Find(request.name, request.is_path ? request.id : request.name);
  if (shared == nullptr || (!request.id.empty() && request.id != ENGINE_get_id(shared->engine))) return nullptr;
  if (!SharedEngines::Join(shared)) return nullptr;
  std::shared_ptr<Engine> engine(new Engine(EnginePointer(shared->engine), shared->source));
  engine->shared_ = shared;
  engine->is_initialised_ = true;
  engine->before_init_.assign(shared->before_init, shared->before_init + shared->before_init_size);
  Remember(engine);
  return engine;
}

void Engine::Remember(const std::shared_ptr<Engine>& engine) {
  auto& loaded = Loaded();
  const auto is_gone = [](const std::weak_ptr<Engine>& held) { return held.expired(); };
  loaded.erase(std::remove_if(loaded.begin(), loaded.end(), is_gone), loaded.end());
  loaded.push_back(engine);
}

Result<Engine::EnginePointer> Engine::Find(const EngineRequest& request) {
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_ALL_BUILTIN, nullptr);
  if (request.is_path) return LoadModule(request.name, request.id);
  // ENGINE_by_id() would load a module by itself, unchecked.
  for (ENGINE* engine = ENGINE_get_first(); engine != nullptr; engine = ENGINE_get_next(engine)) {
    if (request.name != ENGINE_get_id(engine)) continue;
    EnginePointer found(engine);
    return request.name == kDynamic ? EnginePointer(ENGINE_by_id(kDynamic)) : std::move(found);
  }
  std::string searched;
  for (const std::string& folder : Folders()) {
    const std::string path = folder + "/" + request.name + ModuleEnding();
    struct stat status = {};
    if (stat(path.c_str(), &status) == 0) return LoadModule(path, request.id.empty() ? request.name : request.id);
    searched += (searched.empty() ? "" : ", ") + folder;
  }
  return EngineError("OpenSSL has no engine '" + request.name + "', and there is no module of this name in " +
                     searched);
}

Result<Engine::EnginePointer> Engine::LoadModule(const std::string& path, const std::string& id) {
  if (EnginePointer remaining(TakeRemaining(path, id)); remaining) return remaining;
  if (Result<void> checked = CheckModule(path, "bind_engine"); !checked.ok()) return checked.error();
  EnginePointer engine(ENGINE_by_id(kDynamic));
  const auto set = [&engine](const char* command, const char* value) {
    return engine != nullptr && ENGINE_ctrl_cmd_string(engine.get(), command, value, 0) == 1;
  };
  if (set("SO_PATH", PathForOpenSSL(path).c_str()) && (id.empty() || set("ID", id.c_str())) && set("LIST_ADD", "0") &&
      set("LOAD", nullptr)) {
    NoteLoaded(engine.get(), path);
    return engine;
  }
  const auto incompatible = [&path](const std::string& reason) {
    return Error{"ERR_ASYNC_MODULE_INCOMPATIBLE", "'" + path + "' cannot work in this process: " + reason,
                 ErrorQueue::Take().Lines()};
  };
  switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case ENGINE_R_VERSION_INCOMPATIBILITY:
      return incompatible("another libcrypto, by the version of its interface");
    case ENGINE_R_INIT_FAILED:
      return incompatible("it does not set up an engine" + (id.empty() ? "" : " '" + id + "'") +
                          ", or other code has it loaded");
    default:
      return EngineError("OpenSSL cannot load the engine '" + path + "'");
  }
}

Result<void> Engine::Init(const EngineCommands& before_init) {
  if (Result<void> done = Control(before_init); !done.ok()) return done;
  if (ENGINE_init(engine_.get()) != 1) return Failure("cannot be initialised");
  is_initialised_ = true;
  before_init_ = DigestOf(before_init);
  return {};
}

std::vector<EngineInfo> Engine::List() {
  std::vector<EngineInfo> list;
  if (!UnsupportedReason().empty()) return list;
  const ErrorQueueScope errors;
  const std::lock_guard<std::recursive_mutex> lock(Mutex());
  OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_ALL_BUILTIN, nullptr);
  for (ENGINE* engine = ENGINE_get_first(); engine != nullptr; engine = ENGINE_get_next(engine)) {
    list.push_back({ENGINE_get_id(engine), ENGINE_get_name(engine), false});
  }
  for (const std::weak_ptr<Engine>& held : Loaded()) {
    const std::shared_ptr<Engine> engine = held.lock();
    if (!engine) continue;
    const auto is_it = [&engine](const EngineInfo& info) { return info.id == engine->id(); };
    const auto known = std::find_if(list.begin(), list.end(), is_it);
    if (known != list.end()) {
      known->is_loaded = true;
    } else {
      list.push_back({engine->id(), engine->name(), true});
    }
  }
  return list;
}

// --- Properties

std::string Engine::id() const { return ENGINE_get_id(engine_.get()); }

std::string Engine::name() const { return ENGINE_get_name(engine_.get()); }

std::vector<std::string> Engine::Algorithms() const {
  const ENGINE* engine = engine_.get();
  const std::pair<const char*, bool> all[] = {
      {"RSA", ENGINE_get_RSA(engine) != nullptr},         {"DSA", ENGINE_get_DSA(engine) != nullptr},
      {"DH", ENGINE_get_DH(engine) != nullptr},           {"EC", ENGINE_get_EC(engine) != nullptr},
      {"RAND", ENGINE_get_RAND(engine) != nullptr},       {"CIPHERS", ENGINE_get_ciphers(engine) != nullptr},
      {"DIGESTS", ENGINE_get_digests(engine) != nullptr}, {"PKEY", ENGINE_get_pkey_meths(engine) != nullptr},
  };
  std::vector<std::string> names;
  for (const auto& [name, is_there] : all) {
    if (is_there) names.emplace_back(name);
  }
  return names;
}

std::vector<EngineCommand> Engine::Commands() const {
  std::vector<EngineCommand> commands;
  const ENGINE_CMD_DEFN* defined = ENGINE_get_cmd_defns(engine_.get());
  for (; defined != nullptr && defined->cmd_num != 0 && defined->cmd_name != nullptr; ++defined) {
    commands.push_back({defined->cmd_name, defined->cmd_desc == nullptr ? "" : defined->cmd_desc,
                        (defined->cmd_flags & ENGINE_CMD_FLAG_NUMERIC) != 0,
                        (defined->cmd_flags & ENGINE_CMD_FLAG_STRING) != 0,
                        (defined->cmd_flags & ENGINE_CMD_FLAG_NO_INPUT) != 0});
  }
  return commands;
}

// --- Commands and keys

Result<void> Engine::Control(const EngineCommands& commands) {
  for (const auto& [name, value] : commands) {
    if (Result<void> done = Control(name, value); !done.ok()) return done;
  }
  return {};
}

Result<void> Engine::Control(const std::string& command, const EngineValue& value) {
  const std::vector<EngineCommand> commands = Commands();
  const auto is_it = [&command](const EngineCommand& known) { return known.name == command; };
  const auto known = std::find_if(commands.begin(), commands.end(), is_it);
  if (known == commands.end()) return Failure("has no command '" + command + "'");
  ENGINE* engine = engine_.get();
  const char* name = command.c_str();
  int done = 0;
  switch (value.kind) {
    case EngineValue::Kind::kNone:
      if (!known->takes_nothing) return Failure("needs a value for '" + command + "'");
      done = ENGINE_ctrl_cmd(engine, name, 0, nullptr, nullptr, 0);
      break;
    case EngineValue::Kind::kNumber:
      if (!known->takes_number) return Failure("takes no number for '" + command + "'");
      done = ENGINE_ctrl_cmd(engine, name, value.number, nullptr, nullptr, 0);
      break;
    case EngineValue::Kind::kText:
      if (!known->takes_text) return Failure("takes no text for '" + command + "'");
      // Engines must not write there, but their interface has no const.
      done = ENGINE_ctrl_cmd(engine, name, 0, const_cast<unsigned char*>(value.text.data()), nullptr, 0);
      break;
  }
  if (done != 1) return Failure("fails at '" + command + "'");
  return {};
}

Result<int> Engine::PollCommand(const std::string& command) const {
  const ErrorQueueScope errors;
  std::string name = command;
  const int number = ENGINE_ctrl(engine_.get(), ENGINE_CTRL_GET_CMD_FROM_NAME, 0, name.data(), nullptr);
  if (number <= 0) return Failure("has no command '" + command + "'");
  return number;
}

bool Engine::Poll(int command) const {
  const ErrorQueueScope errors;
  int found = 0;
  return ENGINE_ctrl(engine_.get(), command, 0, &found, nullptr) == 1 && found > 0;
}

Result<std::shared_ptr<EVP_PKEY>> Engine::LoadKey(const std::string& id, bool is_private, ByteView pin) {
  const std::lock_guard<std::mutex> lock(loading_);
  ForgetUnusedKeys();
  pin_answer_.Set(pin);
  const auto load = is_private ? ENGINE_load_private_key : ENGINE_load_public_key;
  EvpPkeyPointer key(load(engine_.get(), id.c_str(), PinAnswer::Method(), &pin_answer_));
  pin_answer_.Clear();
  // The key's id may hold a PIN, so the message leaves it out.
  if (!key) return Failure(is_private ? "does not give this private key" : "does not give this public key");
  EVP_PKEY* pkey = key.get();
  {
    const Copies::EngineLock copies;
    const std::lock_guard<std::mutex> keys_lock(keys_mutex_);
    LoadedKey& loaded = keys_[pkey];
    if (!loaded.key) {
      loaded.key = std::move(key);
      SharedEngines::HoldKey(shared_, pkey);
    }
    ++loaded.users;
  }
  return std::shared_ptr<EVP_PKEY>(pkey, [self = shared_from_this()](EVP_PKEY* used) { self->LetGo(used); });
}

void Engine::LetGo(EVP_PKEY* key) {
  const std::lock_guard<std::mutex> lock(keys_mutex_);
  --keys_[key].users;
}

// Nobody asks for a key meanwhile. Some engines keep their keys themselves, as PKCS#11's does, and such a key would
// keep the engine.
void Engine::ForgetUnusedKeys() {
  const Copies::EngineLock copies;
  const std::lock_guard<std::mutex> lock(keys_mutex_);
  for (auto at = keys_.begin(); at != keys_.end();) {
    if (at->second.users > 0) {
      ++at;
      continue;
    }
    SharedEngines::LetKeyGo(shared_, at->first);
    at = keys_.erase(at);
  }
}

Result<void> Engine::SetDefault(const std::string& algorithms) {
  const ErrorQueueScope errors;
  const std::lock_guard<std::recursive_mutex> lock(Mutex());
  const Copies::EngineLock copies;
  if (!is_default_) SharedEngines::NoteDefault(shared_);
  is_default_ = true;  // or a part of it
  Cache::ForgetAll();  // drops contexts that would not look for this engine
  if (ENGINE_set_default_string(engine_.get(), algorithms.c_str()) == 1) return {};
  return Failure("cannot be the default for " + algorithms);
}

Error Engine::Failure(const std::string& what) const { return EngineError("The engine '" + id() + "' " + what); }

#endif

}  // namespace openssl_async
