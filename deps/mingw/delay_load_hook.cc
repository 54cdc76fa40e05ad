// Modules are linked to a host called node.exe. The process knows it by whatever name it has, and it may be a DLL.
#include <windows.h>
// After windows.h.
#include <delayimp.h>

#include "openssl/host_symbols.h"

namespace {

FARPROC WINAPI FindHost(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(openssl_async::HostModule());
}

}  // namespace

// The linker takes this instead of the C library's, which is null.
extern "C" {
PfnDliHook __pfnDliNotifyHook2 = FindHost;
}
