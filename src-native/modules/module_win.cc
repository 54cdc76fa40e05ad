#include <windows.h>

#include "modules/module.h"

namespace openssl_async {

namespace {

const char* ReasonOf(DWORD error) {
  switch (error) {
    case ERROR_BAD_EXE_FORMAT:
      return "not a module, or one for another architecture";
    case ERROR_PROC_NOT_FOUND:
      return "a function that it needs is missing";
    case ERROR_MOD_NOT_FOUND:
      return "a library that it needs is missing";
    default:
      return "it cannot be loaded";
  }
}

}  // namespace

Result<void> CheckModule(const std::string& path, const char* entry) {
  if (GetFileAttributesA(path.c_str()) == INVALID_FILE_ATTRIBUTES) return {};
  const auto incompatible = [&path](const std::string& reason) {
    return Error{"ERR_ASYNC_MODULE_INCOMPATIBLE", "'" + path + "' cannot work in this process: " + reason, {}};
  };
  HMODULE handle = LoadLibraryA(path.c_str());
  if (handle == nullptr) return incompatible(ReasonOf(GetLastError()));
  const bool has_entry = GetProcAddress(handle, entry) != nullptr;
  HMODULE pinned = nullptr;
  if (has_entry) GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN, path.c_str(), &pinned);
  FreeLibrary(handle);
  if (!has_entry) return incompatible(std::string("not a module of this kind: missing symbol ") + entry);
  return {};
}

const char* ModuleEnding() { return ".dll"; }

}  // namespace openssl_async
