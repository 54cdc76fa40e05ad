// Engines that OpenSSL still has after they were unloaded: other code made keys while the engine was the process's
// default, and these keys keep it. OpenSSL does not load such a module again, so its remaining engine is used again.
#pragma once

#include <string>

struct engine_st;  // ENGINE, whose header OpenSSL 4 does not have

namespace openssl_async {

// Call it when OpenSSL has just made this engine from the module.
void NoteLoaded(engine_st* engine, const std::string& path);

// The engine of this module, if OpenSSL still has one, with a reference for the caller; else null. An empty `id` stands
// for any.
engine_st* TakeRemaining(const std::string& path, const std::string& id);

}  // namespace openssl_async
