// Functions and variables of this process that the addon does not link to: they may be missing.
#pragma once

namespace openssl_async {

// The address of a function or variable that the process exports; null without one. Any thread.
void* FindHostSymbol(const char* name);

#ifdef _WIN32
// The module (HMODULE) that exports Node-API, and with it OpenSSL: the program itself, or a DLL that an embedder has
// Node in. Never null.
void* HostModule();
#endif

}  // namespace openssl_async
