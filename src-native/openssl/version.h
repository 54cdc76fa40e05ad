// Which OpenSSL this process has, and which of its functions may be called. The only place that looks symbols up:
// everything that OpenSSL 3.0 lacks, or that BoringSSL lacks, is reached through here.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace openssl_async {

using StackAllocFn = void* (*)(size_t* size);
using StackFreeFn = void (*)(void* address);

// Functions that not every OpenSSL has; null where the running library lacks one.
struct OptionalSymbols {
  void* (*err_get_state)();                                              // until OpenSSL 4, where its struct is public
  int (*async_set_mem_functions)(StackAllocFn alloc, StackFreeFn free);  // OpenSSL 3.2
  int (*err_count_to_mark)();                                            // OpenSSL 3.2
};

const OptionalSymbols& GetOptionalSymbols();

// Empty when real async jobs run in this process, else one sentence that says why not. Computed once, thread-safe.
const std::string& UnsupportedReason();

// What the addon calls: without asking, so that jobs need it, and only where it is there.
const std::vector<std::string>& RequiredSymbols();
const std::vector<std::string>& OptionalSymbolNames();

// Whether the process has a function or variable of this name for whoever is loaded into it. Any thread.
bool HasSymbol(const char* name);

// OpenSSL's own version string, for example "OpenSSL 3.0.19 27 Jan 2026"; empty without OpenSSL.
std::string OpenSSLVersion();

}  // namespace openssl_async
