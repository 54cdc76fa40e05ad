// Owners of OpenSSL objects: `XPointer` frees what it holds, a plain `X*` is borrowed.
#pragma once

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>  // openssl/async.h needs HANDLE
#endif

#include <openssl/async.h>
#include <openssl/crypto.h>

#include <cstdint>
#include <memory>

namespace openssl_async {

template <typename T, void (*free)(T*)>
struct FunctionDeleter {
  void operator()(T* pointer) const { free(pointer); }
};

template <typename T, void (*free)(T*)>
using DeleteFnPtr = std::unique_ptr<T, FunctionDeleter<T, free>>;

using WaitCtxPointer = DeleteFnPtr<ASYNC_WAIT_CTX, ASYNC_WAIT_CTX_free>;

// A file descriptor, or a HANDLE on Windows, that belongs to somebody else.
using WaitFd = OSSL_ASYNC_FD;

// As JavaScript sees it. Windows keeps HANDLEs within 32 bits.
inline int32_t WaitFdToNumber(WaitFd fd) {
#ifdef _WIN32
  return static_cast<int32_t>(reinterpret_cast<intptr_t>(fd));
#else
  return fd;
#endif
}

inline WaitFd WaitFdFromNumber(int32_t number) {
#ifdef _WIN32
  return reinterpret_cast<WaitFd>(static_cast<intptr_t>(number));
#else
  return number;
#endif
}

}  // namespace openssl_async
