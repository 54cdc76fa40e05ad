// On Windows each symbol belongs to a module. Other modules may bring an OpenSSL of their own, whose jobs and keys are
// not those of the host: only the host is asked.
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
// After windows.h.
#include <psapi.h>

#include <algorithm>
#include <iterator>

#include "openssl/host_symbols.h"

namespace openssl_async {

namespace {

bool HasNodeApi(HMODULE module) { return GetProcAddress(module, "napi_module_register") != nullptr; }

HMODULE FindHost() {
  const HMODULE program = GetModuleHandleW(nullptr);
  if (HasNodeApi(program)) return program;
  HMODULE modules[1024];
  DWORD bytes = 0;
  if (K32EnumProcessModules(GetCurrentProcess(), modules, sizeof(modules), &bytes) == 0) return program;
  HMODULE* end = modules + std::min<size_t>(bytes / sizeof(HMODULE), std::size(modules));
  HMODULE* found = std::find_if(modules, end, HasNodeApi);
  return found == end ? program : *found;
}

}  // namespace

void* HostModule() {
  static HMODULE const host = FindHost();
  return host;
}

void* FindHostSymbol(const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(HostModule()), name));
}

}  // namespace openssl_async
