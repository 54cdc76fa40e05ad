#include "openssl/version.h"

#include <iterator>

#include "openssl/host_symbols.h"
#include "openssl/pointers.h"

namespace openssl_async {

namespace {

// All functions that the addon calls without asking, but those for engines. A runtime that lacks one (BoringSSL, a
// stripped build) still loads the addon, because functions are bound at their first call; the addon must then refuse
// before that.
constexpr const char* kRequired[] = {
#include "openssl/required_symbols.inc"
};

constexpr const char* kOptional[] = {"ERR_get_state",
                                     "ASYNC_set_mem_functions",
                                     "ERR_count_to_mark",
                                     "SSL_get0_group_name",
                                     "SSL_CTX_set1_cert_comp_preference",
                                     "SSL_CTX_compress_certs",
                                     "SSL_trace",
                                     "SSL_SESSION_get_time",
                                     "SSL_SESSION_get_time_ex"};

std::string FindReason() {
  for (const char* name : kRequired) {
    if (FindHostSymbol(name) == nullptr) {
      return std::string("This runtime's crypto library does not export ") + name +
             ", so it has no OpenSSL async jobs (BoringSSL, or a build without OpenSSL 3).";
    }
  }
  return "";
}

std::string FindReasonWithoutJobs() {
  if (ASYNC_is_capable() == 1) return "";
  return OpenSSLVersion() +
         " was built for a platform without async jobs (ASYNC_is_capable() is 0, as on musl, which has no ucontext); "
         "operations run on threads instead.";
}

}  // namespace

const OptionalSymbols& GetOptionalSymbols() {
  static const OptionalSymbols symbols = {
      reinterpret_cast<void* (*)()>(FindHostSymbol(kOptional[0])),
      reinterpret_cast<int (*)(StackAllocFn, StackFreeFn)>(FindHostSymbol(kOptional[1])),
      reinterpret_cast<int (*)()>(FindHostSymbol(kOptional[2])),
      reinterpret_cast<const char* (*)(ssl_st*)>(FindHostSymbol(kOptional[3])),
      reinterpret_cast<int (*)(ssl_ctx_st*, int*, size_t)>(FindHostSymbol(kOptional[4])),
      reinterpret_cast<int (*)(ssl_ctx_st*, int)>(FindHostSymbol(kOptional[5])),
      reinterpret_cast<decltype(OptionalSymbols::ssl_trace)>(FindHostSymbol(kOptional[6])),
      reinterpret_cast<long (*)(const ssl_session_st*)>(FindHostSymbol(kOptional[7])),
      reinterpret_cast<time_t (*)(const ssl_session_st*)>(FindHostSymbol(kOptional[8])),
  };
  return symbols;
}

bool HasSymbol(const char* name) { return FindHostSymbol(name) != nullptr; }

const std::string& UnsupportedReason() {
  static const std::string* reason = new std::string(FindReason());  // never destroyed: used until the process ends
  return *reason;
}

const std::string& WithoutJobsReason() {
  static const std::string* reason = new std::string(FindReasonWithoutJobs());
  return *reason;
}

const std::vector<std::string>& RequiredSymbols() {
  static const auto* names = new std::vector<std::string>(std::begin(kRequired), std::end(kRequired));
  return *names;
}

const std::vector<std::string>& OptionalSymbolNames() {
  static const auto* names = new std::vector<std::string>(std::begin(kOptional), std::end(kOptional));
  return *names;
}

std::string OpenSSLVersion() {
  if (FindHostSymbol("OpenSSL_version") == nullptr) return "";
  return OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace openssl_async
