// The OpenSSL of this process, and which of its functions may be called. Functions that OpenSSL 3.0 or BoringSSL lacks
// are reached only through here.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace openssl_async {

using StackAllocFn = void* (*)(size_t* size);
using StackFreeFn = void (*)(void* address);

// Functions that not every OpenSSL has; null where the running library lacks one.
struct OptionalSymbols {
  void* (*err_get_state)();                                              // OpenSSL 3, whose headers show the struct
  int (*async_set_mem_functions)(StackAllocFn alloc, StackFreeFn free);  // OpenSSL 3.2
  int (*err_count_to_mark)();                                            // OpenSSL 3.2
  const char* (*ssl_get0_group_name)(ssl_st* ssl);                       // OpenSSL 3.2
  int (*ssl_ctx_set1_cert_comp_preference)(ssl_ctx_st* context, int* algorithms, size_t count);  // OpenSSL 3.2
  int (*ssl_ctx_compress_certs)(ssl_ctx_st* context, int algorithm);                             // OpenSSL 3.2
  // Writes a message of TLS, as text, to a BIO; where OpenSSL was built with it.
  void (*ssl_trace)(int is_sent, int version, int type, const void* bytes, size_t size, struct ssl_st* ssl, void* bio);
  long (*ssl_session_get_time)(const ssl_session_st* session);       // deprecated since OpenSSL 3.4
  time_t (*ssl_session_get_time_ex)(const ssl_session_st* session);  // OpenSSL 3.3
};

const OptionalSymbols& GetOptionalSymbols();

// Why nothing of the addon works in this process, in one sentence; empty when it works. Computed once; any thread.
const std::string& UnsupportedReason();
// Why no async jobs run in this process, in one sentence; empty when they do. As UnsupportedReason(), which must be
// empty: operations work without jobs.
const std::string& WithoutJobsReason();
// Whether jobs may be started.
inline bool HasJobs() { return WithoutJobsReason().empty(); }

// Functions that the addon needs, and functions that are used only where they exist.
const std::vector<std::string>& RequiredSymbols();
const std::vector<std::string>& OptionalSymbolNames();

// Whether the process exports a function or variable of this name. Any thread.
bool HasSymbol(const char* name);

// OpenSSL's own version string, for example "OpenSSL 3.0.19 27 Jan 2026"; empty without OpenSSL.
std::string OpenSSLVersion();

}  // namespace openssl_async
