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

void NameWorkerThread(const char* name) {
  const std::string narrow(name);
  const std::wstring wide(narrow.begin(), narrow.end());
  SetThreadDescription(GetCurrentThread(), wide.c_str());
}

void LowerWorkerPriority() { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL); }

void OnFork(const ForkHandlers&) {}

}  // namespace openssl_async
