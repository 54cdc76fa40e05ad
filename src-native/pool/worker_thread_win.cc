#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <exception>
#include <string>
#include <utility>

#include "pool/worker_thread.h"

namespace openssl_async {

std::thread StartWorkerThread(std::function<void()> body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::exception&) {
    return std::thread();  // out of threads or memory: the caller does without
  }
}

// Windows has had the function since version 1607 of Windows 10, and not every set of headers declares it.
void NameWorkerThread(const char* name) {
  using SetDescription = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  static const auto set_description = reinterpret_cast<SetDescription>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription")));
  if (set_description == nullptr) return;
  const std::string narrow(name);  // ASCII
  set_description(GetCurrentThread(), std::wstring(narrow.begin(), narrow.end()).c_str());
}

void LowerWorkerPriority() { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL); }

void OnFork(const ForkHandlers&) {}

// The system ends all other threads before a DLL's handlers run.
bool OtherThreadsHaveEnded() {
  using InProgress = BOOLEAN(WINAPI*)();
  const auto in_progress = reinterpret_cast<InProgress>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlDllShutdownInProgress")));
  return in_progress != nullptr && in_progress() != FALSE;
}

}  // namespace openssl_async
