// Which OpenSSL this process has, and which of its functions may be called. The only place that looks symbols up:
// everything that OpenSSL 3.0 lacks, or that BoringSSL lacks, is reached through here.
#pragma once

#include <cstddef>
#include <string>

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

// Whether the running library exports a function, for those of whole parts that it may lack.
bool HasSymbol(const char* name);

// Empty when real async jobs run in this process, else one sentence that says why not. Computed once, thread-safe.
const std::string& UnsupportedReason();

// OpenSSL's own version string, for example "OpenSSL 3.0.19 27 Jan 2026"; empty without OpenSSL.
std::string OpenSSLVersion();

}  // namespace openssl_async
