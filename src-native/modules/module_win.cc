#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <memory>
#include <type_traits>

#include "modules/module.h"

namespace openssl_async {

namespace {

struct LibraryDeleter {
  void operator()(HMODULE library) const { FreeLibrary(library); }
};

using LibraryPointer = std::unique_ptr<std::remove_pointer_t<HMODULE>, LibraryDeleter>;

std::wstring Widen(const std::string& text) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), wide.data(), length);
  return wide;
}

// The bytes of the process's code page; empty when it lacks a character. A code page that is UTF-8 has them all, and
// refuses to be asked.
std::string Narrow(const std::wstring& wide) {
  const bool is_utf8 = GetACP() == CP_UTF8;
  BOOL replaced = FALSE;
  const auto convert = [&](char* bytes, int size) {
    return WideCharToMultiByte(CP_ACP, is_utf8 ? 0 : WC_NO_BEST_FIT_CHARS, wide.data(), static_cast<int>(wide.size()),
                               bytes, size, nullptr, is_utf8 ? nullptr : &replaced);
  };
  std::string narrow(static_cast<size_t>(convert(nullptr, 0)), '\0');
  convert(narrow.data(), static_cast<int>(narrow.size()));
  return replaced != FALSE ? std::string() : narrow;
}

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
  const std::wstring wide = Widen(path);
  if (GetFileAttributesW(wide.c_str()) == INVALID_FILE_ATTRIBUTES) return {};
  const auto incompatible = [&path](const std::string& reason) {
    return Error{"ERR_ASYNC_MODULE_INCOMPATIBLE", "'" + path + "' cannot work in this process: " + reason, {}};
  };
  if (Narrow(wide).empty()) {
    return incompatible("OpenSSL opens modules by names of code page " + std::to_string(GetACP()) +
                        ", which lacks a character of this path");
  }
  const LibraryPointer library(LoadLibraryW(wide.c_str()));
  if (library == nullptr) return incompatible(ReasonOf(GetLastError()));
  const FARPROC found = GetProcAddress(library.get(), entry);
  if (found == nullptr) return incompatible(std::string("not a module of this kind: missing symbol ") + entry);
  HMODULE pinned = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<LPCWSTR>(found), &pinned);
  return {};
}

std::string PathForOpenSSL(const std::string& path) { return Narrow(Widen(path)); }

const char* ModuleEnding() { return ".dll"; }

}  // namespace openssl_async
