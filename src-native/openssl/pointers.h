// Owners of OpenSSL objects: `XPointer` frees what it holds, a plain `X*` is borrowed.
#pragma once

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>  // openssl/async.h needs HANDLE
#endif

#include <openssl/async.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

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

using BignumPointer = DeleteFnPtr<BIGNUM, BN_clear_free>;
using EcdsaSigPointer = DeleteFnPtr<ECDSA_SIG, ECDSA_SIG_free>;
using EvpCipherCtxPointer = DeleteFnPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using EvpCipherPointer = DeleteFnPtr<EVP_CIPHER, EVP_CIPHER_free>;
using EvpKdfCtxPointer = DeleteFnPtr<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using EvpKdfPointer = DeleteFnPtr<EVP_KDF, EVP_KDF_free>;
using EvpMacCtxPointer = DeleteFnPtr<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using EvpMacPointer = DeleteFnPtr<EVP_MAC, EVP_MAC_free>;
using EvpMdCtxPointer = DeleteFnPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpMdPointer = DeleteFnPtr<EVP_MD, EVP_MD_free>;
using EvpPkeyCtxPointer = DeleteFnPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPointer = DeleteFnPtr<EVP_PKEY, EVP_PKEY_free>;
using EvpRandCtxPointer = DeleteFnPtr<EVP_RAND_CTX, EVP_RAND_CTX_free>;
using EvpRandPointer = DeleteFnPtr<EVP_RAND, EVP_RAND_free>;
using Pkcs8Pointer = DeleteFnPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// A borrowed file descriptor; on Windows a HANDLE.
using WaitFd = OSSL_ASYNC_FD;

// The number that JavaScript sees. Windows keeps HANDLEs within 32 bits.
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
