#include <windows.h>

#include <iterator>

#include "job/self_module.h"

namespace openssl_async {

namespace {

const char kHere = 0;

HMODULE Find(DWORD flags) {
  HMODULE module = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | flags, reinterpret_cast<LPCWSTR>(&kHere), &module);
  return module;
}

}  // namespace

std::string PathOfThisModule() {
  wchar_t wide[4096];
  const DWORD size =
      GetModuleFileNameW(Find(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT), wide, static_cast<DWORD>(std::size(wide)));
  if (size == 0 || size == std::size(wide)) return "";
  char path[3 * std::size(wide)];
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide, static_cast<int>(size), path, sizeof(path), nullptr, nullptr);
  return std::string(path, static_cast<size_t>(bytes));
}

std::vector<std::string> LoadedModules() { return {}; }

void PinThisModule() { Find(GET_MODULE_HANDLE_EX_FLAG_PIN); }

}  // namespace openssl_async
